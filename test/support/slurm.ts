import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from './free-port.ts'

/** The programs that {@link startSlurm} and its users call. */
export const slurmPrograms = ['sbatch', 'scontrol', 'slurmctld', 'slurmd', 'munged']

/** The PATH with the folder of the daemons of Slurm and MUNGE. On Debian, it is only in the PATH of root. */
export const daemonPath = `${process.env['PATH']}:/usr/sbin`

/** Returns the programs that are not installed. */
export function listMissing(programs: readonly string[]): string[] {
  return programs.filter(
    (program) => spawnSync('sh', ['-c', `command -v ${program}`], { env: { PATH: daemonPath } }).status !== 0,
  )
}

interface Slurm {
  /** The variable that names the cluster, for `sbatch` and the like. */
  readonly env: Readonly<Record<string, string>>
  /** Stops the daemons. */
  close(): Promise<void>
}

/**
 * Starts a Slurm cluster with one node, without systemd.
 * @param folder an empty folder for its files
 * @param cpus how many tasks run at the same time
 * @throws Error if the node is not ready after some minutes
 */
export async function startSlurm(folder: string, cpus: number): Promise<Slurm> {
  const env = { SLURM_CONF: await writeConfiguration(folder, cpus) }
  const mungeFiles = ['key-file', 'socket', 'pid-file', 'log-file', 'seed-file'].map(
    (name) => `--${name}=${join(folder, `munge.${name}`)}`,
  )
  const commands = [
    ['munged', '--foreground', '--force', ...mungeFiles],
    ['slurmctld', '-D'],
    ['slurmd', '-D'],
  ]
  const daemons = commands.map(([command = '', ...args]) => {
    const child = spawn(command, args, { env: { PATH: daemonPath, ...env }, stdio: 'ignore' })
    return { child, closed: once(child, 'close') }
  })
  const close = async () => {
    for (const { child, closed } of daemons.toReversed()) {
      child.kill('SIGTERM')
      await closed
    }
  }
  const state = () =>
    spawnSync('sinfo', ['-h', '-o', '%t'], { env: { PATH: daemonPath, ...env } }).stdout.toString()
  const end = performance.now() + startTimeoutMs
  while (state() !== 'idle\n') {
    if (performance.now() > end) {
      await close()
      throw new Error(`Slurm is not ready: ${state()}`)
    }
    await delay(50)
  }
  return { env, close }
}

const startTimeoutMs = 240_000

/** @returns the path of slurm.conf */
async function writeConfiguration(folder: string, cpus: number): Promise<string> {
  const [host = ''] = hostname().split('.')
  const user = userInfo().username
  const inFolder = (name: string) => join(folder, name)
  await mkdir(inFolder('state'))
  await writeFile(inFolder('munge.key-file'), crypto.getRandomValues(new Uint8Array(1024)), { mode: 0o400 })
  const conf = `
ClusterName=test
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${await findFreePort()}
SlurmdPort=${await findFreePort()}
SlurmUser=${user}
SlurmdUser=${user}
AuthInfo=socket=${inFolder('munge.socket')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
StateSaveLocation=${inFolder('state')}
SlurmdSpoolDir=${inFolder('spool')}
SlurmctldPidFile=${inFolder('slurmctld.pid')}
SlurmdPidFile=${inFolder('slurmd.pid')}
NodeName=${host} NodeAddr=127.0.0.1 CPUs=${cpus}
PartitionName=main Nodes=ALL Default=YES
`
  await writeFile(inFolder('slurm.conf'), conf)
  return inFolder('slurm.conf')
}
