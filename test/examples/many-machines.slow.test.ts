import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import { createLockOwner } from '../../src/storage/lock/lock-owner.ts'
import { readCodeBlocks } from '../support/code-blocks.ts'
import { examplesFolder, noLinters } from '../support/examples.ts'
import { checkManifests } from '../support/kubernetes.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { addCommands, runShell } from '../support/run-shell.ts'

const page = readFileSync(join(examplesFolder, '../docs/many-machines.md'), 'utf8')
const [, text = ''] = /```yaml\n(.*?)```/s.exec(page) ?? []
const job = parse(text)

describe('the Indexed Job of docs/many-machines.md', () => {
  it.skipIf(noLinters)('has the fields that Kubernetes knows, with the right types', async () => {
    expect(await checkManifests([job])).toMatchObject({ code: 0, stdout: '' })
    const misspelt = JSON.parse(JSON.stringify(job).replace('completionMode', 'completionsMode'))
    expect((await checkManifests([misspelt])).stdout).toContain('completionsMode')
  })

  it('has a command that lets its tasks summarize each document once', async () => {
    const [{ command }] = job.spec.template.spec.containers
    const { completions } = job.spec
    const paths = Array.from({ length: 40 }, (_, n) => `docs/${n}.md`)
    const cwd = await createFolder(Object.fromEntries(paths.map((path) => [path, `Note in ${path}.`])))
    await addCommands(cwd)
    const { env, simulator } = await startService({ latency: { medianMs: 1, sigma: 0 } })
    const script: string = command[2].replaceAll('/data', cwd)
    const runTask = (task: number, failures: number) =>
      runShell(script, {
        cwd,
        env: { ...env, JOB_COMPLETION_INDEX: String(task), FAILURES: String(failures) },
        shell: ['sh'],
      })
    for (let task = 0; task < completions; task++)
      expect(await runTask(task, 0)).toMatchObject({ code: 0, stderr: '' })

    // Another pod has another host name.
    const owner = { ...(await createLockOwner(1, new Date().toISOString(), 'abc')), host: 'summaries-2-x7k' }
    await writeFile(join(cwd, 'parts/2/.claude-batch/lock'), JSON.stringify(owner))
    expect(await runTask(2, 0)).toMatchObject({ code: 7 })
    expect(await runTask(2, 1)).toMatchObject({ code: 0 })
    expect(simulator.stats().requests).toBe(40)
    expect(completions).toBe(Number(/auto\/(\d+)/.exec(script)?.[1]))
  })
})

/** Returns why a bucket cannot be mounted, if that is so. */
function whyNoMounts(): string | undefined {
  const missing = ['rclone', 'fusermount3'].filter((name) => spawnSync(name, ['--version']).status !== 0)
  if (missing.length > 0) return `needs ${missing.join(', ')}`
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK)
    return undefined
  } catch {
    return 'needs /dev/fuse'
  }
}

describe('the commands for object storage in docs/many-machines.md', () => {
  it('summarize a mounted bucket, and pay for nothing again on a new machine', async ({ skip }) => {
    const reason = whyNoMounts()
    if (reason !== undefined) return skip(reason)
    const names = ['a b.md', "it's.md", '-x.md', '[1].md', 'ü #1.txt', 'deep/er/c.md', '$HOME.md', '{a}.md']
    const files = names.map((name) => [`bucket/documents/${name}`, `Note ${name} about the harbour.`])
    const cwd = await createFolder({ ...Object.fromEntries(files), 'bucket/documents/photo.png': 'no text' })
    await addCommands(cwd)
    onTestFinished(() => void spawnSync('fusermount3', ['-u', '-z', join(cwd, 'docs')]))
    const { env, simulator } = await startService({ latency: { medianMs: 1, sigma: 0 } })
    const remote = { RCLONE_CONFIG_REMOTE_TYPE: 'alias', RCLONE_CONFIG_REMOTE_REMOTE: join(cwd, 'bucket') }
    const block =
      (await readCodeBlocks('many-machines.md', 'sh')).find((text) => text.includes('rclone')) ?? ''
    const run = (commands: string) => runShell(commands, { cwd, env: { ...env, ...remote } })
    const shards = [1, 2, 3, 4, 5]
    const commandsOf = (shard: number) =>
      block.replaceAll('part2', `part${shard}`).replace('2/5', `${shard}/5`)

    for (const shard of shards) expect(await run(commandsOf(shard))).toMatchObject({ code: 0 })
    const listed = await Promise.all(
      shards.map((shard) =>
        readdir(join(cwd, `bucket/summaries/part${shard}/docs`), { recursive: true }).catch(() => []),
      ),
    )
    const summaries = listed.flat().filter((name) => name.endsWith('.summary.md'))
    expect(summaries.sort()).toEqual(names.map((name) => `${name}.summary.md`).sort())
    expect(simulator.stats().requests).toBe(names.length)

    for (const shard of shards) await rm(join(cwd, `part${shard}`), { recursive: true, force: true })
    const copyBack = (shard: number) => `rclone copy remote:summaries/part${shard} part${shard}\n`
    expect(page).toContain(copyBack(2).trim())
    for (const shard of shards)
      expect(await run(copyBack(shard) + commandsOf(shard))).toMatchObject({ code: 0 })
    expect(simulator.stats().requests).toBe(names.length)
  })
})
