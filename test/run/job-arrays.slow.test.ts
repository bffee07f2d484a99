// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is what the user writes
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createLockOwner } from '../../src/storage/lock/lock-owner.ts'
import { findFreePort } from '../support/free-port.ts'
import { startGridEngine } from '../support/grid-engine.ts'
import { longWait } from '../support/long-wait.ts'
import { bin, createFolder, startService } from '../support/run-cli.ts'
import { addCommands } from '../support/run-shell.ts'
import { daemonPath, listMissing, slurmPrograms, startSlurm } from '../support/slurm.ts'

const documents = Object.fromEntries(
  Array.from({ length: 12 }, (_, n) => [`docs/${n}.md`, `Note ${n}: the harbour board met.`]),
)
const claudeBatch = `'${process.execPath}' '${bin}'`

function why(...programs: readonly string[]): string | undefined {
  const missing = listMissing(programs)
  return missing.length === 0 ? undefined : `needs ${missing.join(', ')}`
}

async function listSummaries(folder: string): Promise<readonly string[]> {
  const names = await readdir(join(folder, 'docs')).catch(() => [])
  return names.filter((name) => name.endsWith('.summary.md')).sort()
}

describe('--shard auto, in real job arrays', () => {
  it('gives the jobs of GNU parallel all documents, each once', async ({ skip }) => {
    const reason = why('parallel')
    if (reason !== undefined) return skip(reason)
    const cwd = await createFolder(documents)
    const { env, simulator } = await startService({})
    const job = `${claudeBatch} summarize docs -o part{} --shard auto/3 --quiet`
    const { status, stderr } = await run('parallel', ['-j', '3', job, ':::', '1', '2', '3'], { cwd, env })
    expect([status, stderr]).toEqual([0, ''])
    const parts = await Promise.all([1, 2, 3].map((part) => listSummaries(join(cwd, `part${part}`))))
    expect(parts.flat()).toHaveLength(12)
    expect(new Set(parts.flat()).size).toBe(12)
    expect(simulator.stats().requests).toBe(12)
  })

  it('gives the jobs that GNU parallel starts over ssh all documents, each once', async ({ skip }) => {
    const reason = why('parallel', 'ssh', 'sshd', 'ssh-keygen')
    if (reason !== undefined) return skip(reason)
    const cwd = await createFolder(documents)
    const { env: service, simulator } = await startService({})
    // The environment of the jobs comes through --env alone.
    const job = `${claudeBatch} summarize docs -o part{} --shard auto/3 --quiet`
    const hosts = ['--ssh', await startSshd(), '-S', '1/one,1/two', '--workdir', cwd]
    const sent = Object.keys(service).flatMap((name) => ['--env', name])
    const { status, stderr } = await run('parallel', [...hosts, ...sent, job, ':::', '1', '2', '3'], {
      cwd,
      env: service,
    })
    expect([status, stderr]).toEqual([0, ''])
    const parts = await Promise.all([1, 2, 3].map((part) => listSummaries(join(cwd, `part${part}`))))
    expect([parts.flat().length, new Set(parts.flat()).size]).toEqual([12, 12])
    expect(simulator.stats().requests).toBe(12)
  })

  it('gives the tasks of Slurm all documents, each once, also if some are started again', async ({
    skip,
  }) => {
    const reason = why(...slurmPrograms)
    if (reason !== undefined) return skip(reason)
    const cwd = await createFolder(documents)
    await addCommands(cwd)
    const page = await readFile(join(import.meta.dirname, '../../docs/many-machines.md'), 'utf8')
    const [, script = ''] = /```sh\n(#!\/bin\/sh\n#SBATCH.*?)```/s.exec(page) ?? []
    await writeFile(join(cwd, 'job.sh'), script.replaceAll('/shared', cwd))
    const { env: service, simulator } = await startService({})
    const slurm = await startSlurm(await createFolder({}), 4)
    onTestFinished(() => slurm.close())
    const PATH = `${join(cwd, 'bin')}:${daemonPath}`
    const submit = (tasks: string, variables = {}) =>
      run('sbatch', ['--wait', `--array=${tasks}`, 'job.sh'], {
        cwd,
        env: { ...service, ...slurm.env, PATH, ...variables },
      })

    // The last task starts alone, before the array: claude-batch cannot know how many others there are.
    expect((await submit('3')).status).toBe(2)
    expect(simulator.stats().requests).toBe(0)
    expect((await submit('0-3')).status).toBe(0)
    const count = async () => {
      const parts = await Promise.all([0, 1, 2, 3].map((task) => listSummaries(join(cwd, `parts/${task}`))))
      return [parts.flat().length, new Set(parts.flat()).size]
    }
    expect(await count()).toEqual([12, 12])
    expect((await submit('1,3')).status).toBe(0)

    // A task that was killed on another machine.
    const owner = { ...(await createLockOwner(1, new Date().toISOString(), 'abc')), host: 'node-2' }
    await writeFile(join(cwd, 'parts/1/.claude-batch/lock'), JSON.stringify(owner))
    expect((await submit('1,3')).status).toBe(7)
    expect((await submit('1,3', { SLURM_RESTART_COUNT: '1' })).status).toBe(0)
    expect(await count()).toEqual([12, 12])
    expect(simulator.stats().requests).toBe(12)
  })

  it.for([
    ['1-4', ['1', '2', '3', '4'], '2-3'],
    ['2-10:2', ['2', '4', '6', '8', '10'], '4'],
  ] as const)(
    'gives the tasks %s of Grid Engine all documents, each once, also if some are started again',
    async ([tasks, ids, again], { skip }) => {
      // The daemon that starts jobs is refused if another user runs it.
      const isRoot = process.getuid?.() === 0
      const reason = isRoot ? why('qsub', 'qconf', 'sge_qmaster', 'sge_execd') : 'needs root'
      if (reason !== undefined) return skip(reason)
      const cwd = await createFolder(documents)
      const { env: service, simulator } = await startService({})
      const env = { ...service, ...(await startGridEngine()) }
      await writeFile(
        join(cwd, 'job.sh'),
        `#!/bin/sh\n${claudeBatch} summarize docs -o "parts/$SGE_TASK_ID" --shard auto --quiet\n`,
      )
      const submit = (...args: string[]) =>
        run('qsub', ['-V', '-cwd', '-sync', 'y', '-j', 'y', '-o', 'log', ...args, 'job.sh'], { cwd, env })
      const list = async () => {
        const parts = await Promise.all(ids.map((id) => listSummaries(join(cwd, 'parts', id))))
        return [parts.flat().length, new Set(parts.flat()).size]
      }

      // A job without an array has the same variables, all of them `undefined`.
      expect((await submit()).status).toBe(2)
      expect(simulator.stats().requests).toBe(0)
      expect((await submit('-t', tasks)).status).toBe(0)
      expect(await list()).toEqual([12, 12])
      expect((await submit('-t', again)).status).toBe(0)
      expect(await list()).toEqual([12, 12])
      expect(simulator.stats().requests).toBe(12)
    },
  )
})

/** Runs a program to its end, without blocking the simulator in this process. */
async function run(
  command: string,
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
) {
  const child = spawn(command, args, { cwd, env: { PATH: daemonPath, HOME: cwd, ...env } })
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk)
  })
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, stderr }
}

/** Starts an SSH server on a free port. @returns the command that connects to it, as any host */
async function startSshd(): Promise<string> {
  const folder = await createFolder({})
  const inFolder = (name: string) => join(folder, name)
  const port = await findFreePort()
  for (const name of ['host', 'user'])
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', inFolder(name)])
  const server = `
ListenAddress 127.0.0.1:${port}
HostKey ${inFolder('host')}
AuthorizedKeysFile ${inFolder('user.pub')}
StrictModes no
UsePAM no
PidFile none
PermitRootLogin yes
`
  const client = `
Host *
  HostName 127.0.0.1
  Port ${port}
  IdentityFile ${inFolder('user')}
  IdentitiesOnly yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
`
  await writeFile(inFolder('server'), server)
  await writeFile(inFolder('client'), client)
  // A server of root needs this folder, which only the service of the system creates.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true })
  const [sshd = ''] = spawnSync('sh', ['-c', 'command -v sshd'], { env: { PATH: daemonPath } })
    .stdout.toString()
    .split('\n')
  const child = spawn(sshd, ['-D', '-f', inFolder('server')], { stdio: 'ignore' })
  const closed = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await closed
  })
  const ssh = `ssh -F ${inFolder('client')}`
  await vi.waitUntil(() => spawnSync('sh', ['-c', `${ssh} any true`]).status === 0, longWait)
  return ssh
}
