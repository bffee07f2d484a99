import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { findFreePort } from './free-port.ts'
import { longWait } from './long-wait.ts'
import { createFolder } from './run-cli.ts'

/** Where Debian's packages put the programs and the default settings. */
const [programs, defaults] = ['/usr/lib/gridengine', '/usr/share/gridengine']

/**
 * Starts a Grid Engine with one host and the queue `main.q`, from Debian's packages, until the test ends.
 * @returns the variables that name it
 */
export async function startGridEngine(): Promise<Readonly<Record<string, string>>> {
  const root = await createFolder({})
  const inRoot = (...names: string[]) => join(root, ...names)
  for (const folder of ['default/common', 'spool/qmaster', 'spool/execd', 'spool/db'])
    await mkdir(inRoot(folder), { recursive: true })
  for (const name of ['bin', 'lib', 'utilbin']) await symlink(`/var/lib/gridengine/${name}`, inRoot(name))
  await symlink(`${defaults}/util`, inRoot('util'))
  const bootstrap = `
admin_user none
default_domain none
ignore_fqdn true
spooling_method berkeleydb
spooling_lib libspoolb
spooling_params ${inRoot('spool/db')}
binary_path /usr/sbin
qmaster_spool_dir ${inRoot('spool/qmaster')}
security_mode none
listener_threads 2
worker_threads 2
scheduler_threads 1
`
  await writeFile(inRoot('default/common/bootstrap'), bootstrap.trimStart())
  // The address of the loopback interface may belong to either name.
  await writeFile(inRoot('default/common/host_aliases'), `localhost ${hostname()}\n`)
  await writeFile(inRoot('default/common/act_qmaster'), 'localhost\n')
  // The tests may run as root, whose jobs are refused by default.
  const configuration = readFileSync(`${defaults}/default-configuration`, 'utf8')
    .replace(/^execd_spool_dir .*/m, `execd_spool_dir ${inRoot('spool/execd')}`)
    .replace(/^(min_[ug]id) .*/gm, '$1 0')
  await writeFile(inRoot('configuration'), configuration)

  const env = {
    SGE_ROOT: root,
    SGE_CELL: 'default',
    SGE_QMASTER_PORT: String(await findFreePort()),
    SGE_EXECD_PORT: String(await findFreePort()),
  }
  const run = (program: string, ...args: readonly string[]) =>
    spawnSync(program, args, { env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8' })
  const runChecked = (program: string, ...args: readonly string[]) => {
    const result: SpawnSyncReturns<string> = run(program, ...args)
    if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${result.stdout}${result.stderr}`)
    return result.stdout
  }
  runChecked(`${programs}/spoolinit`, 'berkeleydb', 'libspoolb', inRoot('spool/db'), 'init')
  const spooled = [
    ['configuration', inRoot('configuration')],
    ['complexes', `${defaults}/util/resources/centry`],
    ['usersets', `${defaults}/util/resources/usersets`],
    ['managers', userInfo().username],
  ]
  for (const args of spooled) runChecked(`${programs}/spooldefaults`, ...args)

  const startDaemon = (name: string) => {
    // With SGE_ND, a daemon stays in the foreground.
    const child = spawn(`${programs}/${name}`, { env: { ...env, SGE_ND: '1' }, stdio: 'ignore' })
    const closed = once(child, 'close')
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await closed
    })
  }
  startDaemon('sge_qmaster')
  await vi.waitUntil(() => run('qconf', '-sh').status === 0, longWait)
  runChecked('qconf', '-as', 'localhost')
  startDaemon('sge_execd')
  await vi.waitUntil(() => run('qconf', '-sel').stdout.includes('localhost'), longWait)
  const scheduler = runChecked('qconf', '-ssconf').replace(/^(schedule_interval +).*/m, '$10:0:1')
  await writeFile(inRoot('scheduler'), scheduler)
  runChecked('qconf', '-Msconf', inRoot('scheduler'))
  await writeFile(inRoot('queue'), formatQueue())
  runChecked('qconf', '-Aq', inRoot('queue'))
  return env
}

/** Returns a queue with four slots. All attributes must be there. */
function formatQueue(): string {
  const limits = ['rt', 'cpu', 'fsize', 'data', 'stack', 'core', 'rss', 'vmem']
  const fields = {
    ...{ qname: 'main.q', hostlist: 'localhost', seq_no: 0, load_thresholds: 'NONE' },
    ...{ suspend_thresholds: 'NONE', nsuspend: 1, suspend_interval: '00:05:00', priority: 0 },
    ...{ min_cpu_interval: '00:05:00', processors: 'UNDEFINED', qtype: 'BATCH', ckpt_list: 'NONE' },
    ...{ pe_list: 'NONE', rerun: 'FALSE', slots: 4, tmpdir: '/tmp', shell: '/bin/sh', prolog: 'NONE' },
    ...{ epilog: 'NONE', shell_start_mode: 'unix_behavior', starter_method: 'NONE', suspend_method: 'NONE' },
    ...{ resume_method: 'NONE', terminate_method: 'NONE', notify: '00:00:60', owner_list: 'NONE' },
    ...{ user_lists: 'NONE', xuser_lists: 'NONE', subordinate_list: 'NONE', complex_values: 'NONE' },
    ...{ projects: 'NONE', xprojects: 'NONE', calendar: 'NONE', initial_state: 'default' },
    ...Object.fromEntries(
      limits.flatMap((name) => [`s_${name}`, `h_${name}`]).map((name) => [name, 'INFINITY']),
    ),
  }
  return Object.entries(fields)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('')
}
