import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, type TestContext } from 'vitest'
import { createFolder, runCli, startCli } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { countedService, docs, faulty, filesBelow } from './invariants.ts'

const summarize = ['summarize', 'docs']
const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

/** Skips a test if the program cannot run as an unprivileged user. */
async function needNobody(context: TestContext, cwd: string): Promise<void> {
  await chmod(cwd, 0o755)
  const tried = await runCli(['--version'], { cwd, launcher: asNobody }).catch(() => undefined)
  if (tried?.code !== 0)
    context.skip('the user nobody cannot run the program here: no setpriv, or no permission')
}

describe('an output folder that cannot be used', () => {
  it.for([
    ['belongs to another user', (cwd: string) => mkdir(join(cwd, 'summaries'))],
    ['cannot be created', () => Promise.resolve()],
  ] as const)(
    'F03 an output folder that %s is reported before anything is sent',
    async ([, prepare], context) => {
      const { env, hits } = await countedService()
      const cwd = await createFolder(docs())
      await needNobody(context, cwd)
      await prepare(cwd)
      const { code, stderr } = await runCli(summarize, { cwd, env, launcher: asNobody })
      expect(code).toBe(6)
      expect(stderr).toMatch(/^claude-batch: cannot write .*summaries: permission denied\n$/)
      expect(hits()).toEqual({})
      expect(await filesBelow(cwd)).toEqual(Object.keys(docs()))
    },
  )
})

describe('temporary files', () => {
  it('F09 temporary files of a dead run, and no others, are removed by the next run that holds the lock', async () => {
    const { env } = await countedService()
    const cwd = await createFolder(docs())
    const plan = { do: 'kill', op: 'rename', path: 'docs/b\\.md\\.summary\\.md$' }
    await runCli(['summarize', 'docs/b.md'], { cwd, env: { ...env, ...faulty(plan) } })
    const left = async () =>
      (await readdir(join(cwd, 'summaries/docs'))).filter((name) => name.endsWith('.tmp'))
    expect(await left()).toEqual([expect.stringMatching(/^\.claude-batch-/)])
    await writeFile(join(cwd, 'summaries/docs/.b.md.tmp'), 'mine')
    await writeFile(join(cwd, 'summaries/docs/.claude-batch-notes.tmp'), 'mine')

    const lock = join(cwd, 'summaries/.claude-batch/lock')
    const dead = await readFile(lock, 'utf8')
    await writeFile(lock, JSON.stringify({ ...JSON.parse(dead), host: 'elsewhere' }))
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 7 })
    expect(await left()).toHaveLength(3)
    await writeFile(lock, dead)
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(await left()).toEqual(['.b.md.tmp', '.claude-batch-notes.tmp'])
  })
})

describe('permissions', () => {
  it.each([
    ['077', '600', '700'],
    ['022', '644', '755'],
  ])(
    'F20 summaries and error records follow a umask of %s, and state files are private',
    async (umask, file, folder) => {
      const { env, simulator } = await countedService((name) =>
        name === 'b' ? { kind: 'status', status: 400 } : { kind: 'answer', delayMs: 300 },
      )
      const cwd = await createFolder(docs('ab'))
      const mode = async (path: string) =>
        ((await stat(join(cwd, 'summaries', path))).mode & 0o777).toString(8)
      const launcher = ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh']
      const { ended } = await startCli(
        summarize,
        { cwd, env, launcher },
        () => simulator.stats().inFlight > 0,
      )
      expect(await mode('.claude-batch/lock')).toBe('600')
      expect(await ended).toMatchObject({ code: 1 })
      for (const path of ['.claude-batch/ledger.jsonl', '.claude-batch/journal.jsonl'])
        expect(await mode(path)).toBe('600')
      for (const path of ['docs/a.md.summary.md', 'docs/b.md.error.txt']) expect(await mode(path)).toBe(file)
      for (const path of ['', 'docs']) expect(await mode(path)).toBe(folder)
    },
  )
})
