import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chown, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fastGlob from 'fast-glob'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { exitCodes } from '../../src/errors.ts'
import { examplesFolder, listMissing, noLinters, readExample, runCommand } from '../support/examples.ts'
import { checkManifests } from '../support/kubernetes.ts'
import { longWait } from '../support/long-wait.ts'
import { packPackage } from '../support/packed-package.ts'
import { openPodman, type Podman, whyNoContainers } from '../support/podman.ts'
import { createFolder, startService } from '../support/run-cli.ts'

/** The part of a container in a pod that matters here. */
interface Container {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly env?: readonly { readonly name: string }[]
}
interface PodSpec {
  readonly initContainers: readonly Container[]
  readonly containers: readonly Container[]
  readonly volumes: readonly { readonly name: string }[]
}

const cronJobName = 'kubernetes-cronjob.yaml'
const manifests = parseAllDocuments(readExample(cronJobName)).map((document) => document.toJS())
const cronJob = manifests.find(({ kind }) => kind === 'CronJob')
const pod: PodSpec = cronJob.spec.jobTemplate.spec.template.spec

describe(`the manifests of ${cronJobName}`, () => {
  it.skipIf(noLinters)('have the fields that Kubernetes knows, with the right types', async () => {
    expect(await checkManifests(manifests)).toMatchObject({ code: 0, stdout: '' })
    const misspelt = JSON.parse(JSON.stringify(manifests).replace('readOnlyRootFilesystem', 'readOnlyRoot'))
    expect((await checkManifests(misspelt)).stdout).toContain(`'"readOnlyRoot"' does not exist`)
  })

  it('try again only after the exit code for failures that may pass', () => {
    const [, { onExitCodes }] = cronJob.spec.jobTemplate.spec.podFailurePolicy.rules
    expect(onExitCodes).toEqual({ operator: 'NotIn', values: [exitCodes.temporaryFailure.code] })
  })

  it('read the key from a secret', () => {
    const keys = pod.containers.flatMap(({ env = [] }) => env)
    const secretKeyRef = { name: 'claude-batch', key: 'ANTHROPIC_API_KEY' }
    expect(keys).toEqual([{ name: 'ANTHROPIC_API_KEY', valueFrom: { secretKeyRef } }])
  })

  it.skipIf(listMissing('shellcheck').length > 0)('have a script that shellcheck accepts', () => {
    const [shell, flag, script] = pod.initContainers[0]?.command ?? []
    expect([shell, flag]).toEqual(['sh', '-c'])
    const { stdout } = spawnSync('shellcheck', ['--shell=sh', '-'], { input: script ?? '', encoding: 'utf8' })
    expect(stdout).toBe('')
  })
})

const documents = Object.fromEntries(
  Array.from({ length: 6 }, (_, n) => [`docs/${n}.md`, `The keeper of harbour ${n} has a dog. It barks.\n`]),
)
const summaries = Object.keys(documents).map((path) => `${path}.summary.md`)
/** A user without an entry in /etc/passwd. */
const uid = 54_321
const podUid = cronJob.spec.jobTemplate.spec.template.spec.securityContext.runAsUser

describe.skipIf(whyNoContainers() !== undefined)('a container', () => {
  let podman: Podman
  let folder: string
  /** The commands of the README, by their first words. */
  const commands = Array.from(readExample('README.md').matchAll(/```sh\n(.*?)```/gs), ([, text = '']) => text)

  /** Creates a folder with documents and an output folder for a user. */
  const createWork = async (owner: number) => {
    const work = await createFolder(documents)
    // What a volume with ext4 has in its root.
    await mkdir(join(work, 'docs/lost+found'), { mode: 0o700 })
    await mkdir(join(work, 'summaries'))
    await chown(join(work, 'summaries'), owner, owner)
    return work
  }
  const listSummaries = (work: string) => fastGlob('**/*.summary.md', { cwd: join(work, 'summaries') })

  /** Runs commands of the README with podman as `docker`, as a user without an entry in /etc/passwd. */
  const runShell = (text: string, cwd: string, env: Readonly<Record<string, string>> = {}) => {
    const PATH = `${podman.bin}:${join(folder, 'bin')}:${process.env['PATH']}`
    return runCommand('bash', ['-euo', 'pipefail', '-c', text], {
      cwd,
      env: { ...process.env, PATH, ...env },
    })
  }

  beforeAll(async () => {
    podman = await openPodman()
    folder = await mkdtemp(join(tmpdir(), 'claude-batch-test-'))
    await mkdir(join(folder, 'bin'))
    await writeFile(join(folder, 'bin/id'), `#!/bin/sh\necho ${uid}\n`, { mode: 0o755 })
    await mkdir(join(folder, 'examples'))
    await copyFile(join(examplesFolder, 'Dockerfile'), join(folder, 'examples/Dockerfile'))
    await packPackage(join(folder, 'examples'))
    const build = commands.find((text) => text.includes('docker build')) ?? ''
    const [pack = '', ...rest] = build.trim().split('\n')
    expect(pack).toBe('npm ci && npm pack --pack-destination examples')
    const built = await runShell(
      rest.join('\n').replace('docker build', 'docker build --network none'),
      folder,
    )
    expect(built.code, built.stderr).toBe(0)
    await podman.run('tag', 'claude-batch', pod.containers[0]?.image ?? '')
  })
  afterAll(async () => {
    await podman?.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('started as in the README summarizes, with a read-only root and a user without a name', async () => {
    const work = await createWork(uid)
    await rm(join(work, 'docs/lost+found'), { recursive: true })
    const command = commands.find((text) => text.includes('docker run')) ?? ''
    const { simulator, env } = await startService({})
    const { code, stderr } = await runShell(
      command.replace('docker run', 'docker run --network host --env ANTHROPIC_BASE_URL'),
      work,
      env,
    )
    expect(code, stderr).toBe(0)
    expect(await listSummaries(work)).toEqual(expect.arrayContaining(summaries))
    expect(simulator.stats().requests).toBe(summaries.length)
  })

  it('cannot write to its root with the flags of the README', async () => {
    const work = await createWork(uid)
    const command = commands.find((text) => text.includes('docker run')) ?? ''
    const { code, stderr } = await runShell(
      command
        .replace('docker run', 'docker run --entrypoint touch')
        .replace(/claude-batch summarize.*/, 'claude-batch /x'),
      work,
    )
    expect([code, stderr]).toEqual([1, expect.stringContaining('Read-only file system')])
  })

  it('that is stopped saves the replies in flight and exits with 143, as process 1', async () => {
    const work = await createWork(10_001)
    const { simulator, env } = await startService({ latency: { medianMs: 3000, sigma: 0 } })
    const id = await startContainer(work, env, 'summarize', 'docs', '--exclude', 'lost+found/')
    await vi.waitUntil(() => simulator.stats().requests > 0, longWait)
    await podman.run('stop', '--time', '30', id)
    expect(await podman.run('wait', id)).toBe('143\n')
    expect((await listSummaries(work)).length).toBeGreaterThan(0)
    expect(existsSync(join(work, 'summaries/.claude-batch/lock'))).toBe(false)
  })

  /** Starts a container as the user of the image. @returns its id */
  const startContainer = async (work: string, env: Readonly<Record<string, string>>, ...args: string[]) => {
    const flags = ['--detach', '--read-only', '--network', 'host', '--cap-drop', 'ALL']
    const mounts = ['--volume', `${work}/docs:/work/docs:ro`, '--volume', `${work}/summaries:/work/summaries`]
    const settings = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`])
    return (await podman.run('run', ...flags, ...mounts, ...settings, 'claude-batch', ...args)).trim()
  }

  /**
   * Starts the pod of the CronJob, with folders of this machine as volumes.
   * @returns the names of the pod and of its container, which runs
   */
  const startPod = async (work: string, env: Readonly<Record<string, string>>) => {
    const folders: Readonly<Record<string, string>> = { documents: 'docs', summaries: 'summaries' }
    const spec = {
      ...pod,
      hostNetwork: true,
      volumes: pod.volumes.map(({ name }) => ({ name, hostPath: { path: join(work, folders[name] ?? '') } })),
      containers: pod.containers.map((container) => ({
        ...container,
        env: Object.entries(env).map(([name, value]) => ({ name, value })),
      })),
    }
    const name = `pod-${work.split('-').at(-1)?.toLowerCase()}`
    const file = join(work, 'pod.json')
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }))
    await podman.run('kube', 'play', file)
    onTestFinished(
      async () => void (await podman.run('pod', 'rm', '--force', '--time', '0', '--ignore', name)),
    )
    return { name, container: `${name}-${pod.containers[0]?.name}` }
  }

  it('of the CronJob summarizes a volume, and the next one has nothing to do', async () => {
    const work = await createWork(podUid)
    const { simulator, env } = await startService({})
    for (let night = 0; night < 2; night++) {
      const { name, container } = await startPod(work, env)
      expect(await podman.run('wait', container), await podman.run('logs', container)).toBe('0\n')
      const [inspected] = JSON.parse(await podman.run('inspect', container))
      expect(inspected.HostConfig.ReadonlyRootfs).toBe(true)
      await podman.run('pod', 'rm', '--force', '--time', '0', name)
      expect((await listSummaries(work)).toSorted()).toEqual(summaries)
      expect(simulator.stats().requests).toBe(summaries.length)
    }
  })

  it('of the CronJob continues after one that was killed and left its lock', async () => {
    const work = await createWork(podUid)
    const stalled = await startService({ script: () => ({ kind: 'stall', afterHeaders: false }) })
    const first = await startPod(work, stalled.env)
    await vi.waitUntil(() => stalled.simulator.stats().requests > 0, longWait)
    await podman.run('kill', '--signal', 'KILL', first.container)
    await podman.run('pod', 'rm', '--force', '--time', '0', first.name)
    expect(await readdir(join(work, 'summaries/.claude-batch'))).toContain('lock')
    const { env } = await startService({})
    const second = await startPod(work, env)
    expect(await podman.run('wait', second.container), await podman.run('logs', second.container)).toBe('0\n')
    expect((await listSummaries(work)).toSorted()).toEqual(summaries)
  })

  /** Creates what the nightly jobs of cron and systemd expect. @returns the flags that put it in its place */
  const createServer = async (env: Readonly<Record<string, string>>) => {
    const work = await createWork(uid)
    await rm(join(work, 'docs/lost+found'), { recursive: true })
    const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`)
    await writeFile(join(work, 'claude-batch.env'), lines.join(''), { mode: 0o600 })
    await chown(join(work, 'claude-batch.env'), uid, uid)
    const flags = ['--rm', '--network', 'host', '--read-only', '--user', `${uid}:${uid}`]
    const files = [`${work}/claude-batch.env:/etc/claude-batch.env:ro`, `${work}/docs:/srv/notes/docs:ro`]
    const output = `${work}/summaries:/srv/notes/summaries`
    return { work, flags: [...flags, ...[...files, output].flatMap((it) => ['--volume', it])] }
  }

  it('can run the command of the crontab with the environment that cron gives it, and prints nothing', async () => {
    const { simulator, env } = await startService({})
    const { work, flags } = await createServer(env)
    const lines = readExample('crontab').split('\n')
    const settings = lines.filter((line) => /^[A-Z]+=/.test(line))
    const command = lines.map((line) => /^17 3 \* \* \* +(.*)/.exec(line)?.[1]).find(Boolean) ?? ''
    const cronEnv = ['-i', 'HOME=/srv/notes', 'LOGNAME=notes', 'SHELL=/bin/sh', ...settings]
    const start = ['--entrypoint', '/usr/bin/env', 'claude-batch', ...cronEnv, '/bin/sh', '-c', command]
    const { code, stdout, stderr } = await runCommand(
      join(podman.bin, 'docker'),
      ['run', ...flags, ...start],
      {
        cwd: work,
        env: process.env,
      },
    )
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' })
    expect((await listSummaries(work)).toSorted()).toEqual(summaries)
    expect(simulator.stats().requests).toBe(summaries.length)
  })

  it('can run the command of the systemd unit, where only the named folder is writable', async () => {
    const { env } = await startService({})
    const { work, flags } = await createServer(env)
    const settings = Object.fromEntries(
      Array.from(readExample('claude-batch.service').matchAll(/^(\w+)=(.*)$/gm), ([, key, value]) => [
        key,
        value,
      ]),
    ) as Record<'ExecStart' | 'ReadWritePaths' | 'WorkingDirectory', string>
    expect(settings.ReadWritePaths).toBe('/srv/notes/summaries')
    const [program = '', ...args] = settings.ExecStart.split(' ')
    const start = ['--env-file', join(work, 'claude-batch.env'), '--workdir', settings.WorkingDirectory]
    const stdout = await podman.run(
      'run',
      ...flags,
      ...start,
      '--entrypoint',
      program,
      'claude-batch',
      ...args,
    )
    expect(stdout).toBe('')
    expect((await listSummaries(work)).toSorted()).toEqual(summaries)
  })
})
