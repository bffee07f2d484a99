import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Ajv2020 from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { type RunEvent, runEventSchema } from '../../src/ui/run-event.ts'
import { createCountedFolder } from '../support/counted-folder.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const validate = new Ajv2020.default({
  allowUnionTypes: true,
  formats: { 'date-time': true },
}).compile<RunEvent>(runEventSchema)

/** Returns the events on stderr. Each line must be one, and match the schema. */
function parseEvents(stderr: string): RunEvent[] {
  expect(stderr.endsWith('\n')).toBe(true)
  return stderr
    .trimEnd()
    .split('\n')
    .map((line) => {
      const event: unknown = JSON.parse(line)
      expect([line, validate(event), validate.errors]).toEqual([line, true, null])
      return event as RunEvent
    })
}

const documents = { 'docs/a.md': 'Note a.', 'docs/b.md': 'Note b.', 'docs/empty.md': '' }
const summarize = ['summarize', 'docs', '--progress', 'json']

async function start(files: Record<string, string> = documents) {
  const folder = await createCountedFolder(files)
  const run = async (...args: string[]) => {
    const result = await folder.run(args.length === 0 ? summarize : args)
    return { ...result, events: parseEvents(result.stderr) }
  }
  return { folder, cwd: folder.cwd, run }
}

describe('--progress json', () => {
  it('writes one event per line: the start, each document, and the end with the exit code', async () => {
    const { run, cwd } = await start()
    const { events, stdout, code } = await run()
    expect([code, stdout]).toEqual([0, ''])
    expect(events.map(({ event }) => event)).toEqual(['started', 'document', 'document', 'document', 'end'])
    expect(events[0]).toMatchObject({ documents: 3, skipped: 0, prompt: 'summarize@v3' })
    const finished = events.filter((it) => it.event === 'document')
    const first = finished.find(({ path }) => path === 'docs/a.md')
    expect(first).toMatchObject({
      status: 'summarized',
      attempts: 1,
      summary_file: 'summaries/docs/a.md.summary.md',
    })
    expect(await readFile(join(cwd, first?.summary_file ?? ''), 'utf8')).not.toBe('')
    expect(finished.map(({ progress }) => [progress.done, progress.total])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ])
    const costs = finished.reduce((sum, { cost_usd: cost }) => sum + (cost ?? 0), 0)
    const end = events.at(-1)
    expect(end).toMatchObject({
      exit_code: 0,
      results: {
        documents: { summarized: 2, failed: 0, skipped: 1, pending: 0 },
        skipped_by_reason: { empty: 1 },
        requests: 2,
      },
    })
    expect(end?.event === 'end' && end.results?.cost_usd).toBeCloseTo(costs, 12)
  })

  it('counts unchanged documents in the start, and has no event for them', async () => {
    const { run } = await start()
    await run()
    const { events } = await run()
    expect(events.map(({ event }) => event)).toEqual(['started', 'document', 'end'])
    expect(events[0]).toMatchObject({ documents: 1, skipped: 2 })
    expect(events.at(-1)).toMatchObject({ results: { requests: 0, skipped_by_reason: { unchanged: 2 } } })
  })

  it('has the error of a failed document, and the pauses', async () => {
    const { folder, run } = await start()
    let isFirst = true
    folder.behave = (text) => {
      if (text.includes('Note a')) return { kind: 'status', status: 400, message: 'no notes\u0007' }
      const behaviour = isFirst
        ? ({ kind: 'status', status: 429, headers: { 'retry-after': '2' } } as const)
        : ({ kind: 'answer', delayMs: 1 } as const)
      isFirst = false
      return behaviour
    }
    const { events, code } = await run()
    expect(code).toBe(1)
    expect(events).toContainEqual(
      expect.objectContaining({
        event: 'pause',
        duration_ms: expect.any(Number),
        reason: expect.any(String),
      }),
    )
    expect(events).toContainEqual(
      expect.objectContaining({
        path: 'docs/a.md',
        status: 'failed',
        error: expect.objectContaining({ kind: 400, transient: false }),
      }),
    )
    expect(events.at(-1)).toMatchObject({ exit_code: 1, results: { documents: { failed: 1 } } })
  })

  it('makes warnings and errors events too, and always ends with the exit code', async () => {
    const { run, cwd } = await start()
    expect((await run('summarize', 'nowhere', '--progress', 'json')).events).toEqual([
      expect.objectContaining({
        event: 'message',
        text: expect.stringContaining('nothing matches "nowhere"'),
      }),
      expect.objectContaining({ event: 'end', exit_code: 3 }),
    ])
    await writeFile(join(cwd, 'claude-batch.yaml'), 'progress: json\nmodel: claude-unknown-9\n')
    const { events } = await run('summarize', 'docs', '--exclude', 'nothing-like-this')
    expect(events[0]).toMatchObject({ event: 'message', text: expect.stringContaining('nothing-like-this') })
    await writeFile(join(cwd, 'claude-batch.yaml'), 'progress: json\nno-such-setting: 1\n')
    const { events: wrong, code } = await run('summarize', 'docs', '--progress', 'json')
    expect(wrong.map(({ event }) => event)).toEqual(['message', 'end'])
    expect([code, wrong[1]]).toEqual([2, expect.objectContaining({ exit_code: 2 })])
  })

  it.each([
    [['summarize', 'docs', '--no-such-flag'], {}],
    [['summarize', 'docs', '--rpm', 'many'], {}],
    [['batches', 'collect', '--no-such-flag'], {}],
    [['no-such-command'], {}],
    [['summarize', 'docs', '--no-such-flag'], { CLAUDE_BATCH_PROGRESS: 'json' }],
    [['summarize', 'docs', '--shard', '7/3'], { CLAUDE_BATCH_PROGRESS: 'json' }],
  ])('makes an error in the flags of %j an event, with %j', async (args, env) => {
    const { folder } = await start()
    const flags = Object.keys(env).length === 0 ? ['--progress', 'json'] : []
    const { stderr, code } = await folder.run([...args, ...flags], { env })
    expect([code, parseEvents(stderr)]).toEqual([
      2,
      [
        expect.objectContaining({ event: 'message' }),
        expect.objectContaining({ event: 'end', exit_code: 2 }),
      ],
    ])
  })

  it('asks no question, as without a terminal', async () => {
    const { folder } = await start({ ...documents, 'docs/c.md': 'Note c.' })
    const run = async (...args: string[]) => {
      const { stderr, code } = await folder.run([...summarize, ...args], { confirmAnswer: true })
      return { events: parseEvents(stderr), code }
    }
    const expensive = await run('--confirm-above', '0')
    expect(expensive.code).toBe(2)
    expect(expensive.events[0]).toMatchObject({ text: expect.stringContaining('--yes') })
    const sample = await run('--sample', '2')
    expect(sample.events.filter(({ event }) => event === 'document')).toHaveLength(2)
    const changed = await run('--model', 'sonnet')
    expect(changed.events).toContainEqual(
      expect.objectContaining({ event: 'message', text: expect.stringContaining('--redo settings') }),
    )
  })

  it('has the results of a run whose stdout was closed by its reader', async () => {
    const { env, cwd } = await createCountedFolder(documents)
    const args = [...summarize, '-o', '-', '--concurrency', '1']
    const { code, stderr } = await runInProcess(args, { cwd, env, clockSpeed: 500, stdoutError: 'EPIPE' })
    expect(code).toBe(141)
    expect(parseEvents(stderr).at(-1)).toMatchObject({
      exit_code: 141,
      results: { documents: expect.anything() },
    })
  })

  it('sums up the run and its digest', async () => {
    const { run, cwd } = await start()
    const { events } = await run(...summarize, '--digest', 'digest.md')
    expect(events.filter(({ event }) => event === 'started')).toHaveLength(2)
    expect(events.at(-1)).toMatchObject({ results: { requests: 3, documents: { summarized: 3 } } })
    expect(await readFile(join(cwd, 'digest.md'), 'utf8')).not.toBe('')
  })

  it.each([['--quiet'], ['--verbose'], ['--dry-run'], ['--batch'], ['-o', '-']])(
    'writes nothing else to stderr with %s %s',
    async (...args) => {
      const { run } = await start()
      const { events, stdout } = await run(...summarize, ...args.filter((arg) => arg !== undefined))
      expect(events.at(-1)).toMatchObject({ event: 'end', exit_code: 0 })
      expect(stdout).not.toContain('"event"')
    },
  )

  it('works in a comparison, and for collected batches', async () => {
    const { run } = await start()
    const compared = await run('compare', 'docs', '--models', 'haiku,sonnet', '--progress', 'json')
    expect(compared.events.filter(({ event }) => event === 'document').length).toBeGreaterThanOrEqual(4)
    expect(compared.events.at(-1)).toMatchObject({
      event: 'end',
      exit_code: 0,
      results: { documents: { summarized: 4 } },
    })
    await run(...summarize, '--batch', '--detach')
    const collected = await run('batches', 'collect', '--progress', 'json')
    const progress = collected.events.flatMap((it) => (it.event === 'document' ? [it.progress] : []))
    expect(progress.length).toBeGreaterThan(0)
    for (const { done, total } of progress) expect([done, total]).toEqual([done, progress.length])
  })

  it('shows each event when it happens, with file names and replies as they are', async () => {
    const name = 'docs/tab\there "\u202e\u009b.md'
    const { run } = await start({ [name]: 'Note \ud83d.' })
    const { events, stderr } = await run()
    expect(events).toContainEqual(expect.objectContaining({ event: 'document', path: name }))
    expect(stderr).not.toMatch(/[\t\u001b]/)
  })

  it('does not apply to commands without progress', async () => {
    const cwd = await createFolder({ 'claude-batch.yaml': 'progress: json\n' })
    const { stderr, stdout } = await runInProcess(['config'], { cwd })
    expect(stdout).toContain('json')
    expect(stderr).not.toContain('"event"')
  })
})

describe('--report -', () => {
  it.each([[[]], [['--batch']], [['--dry-run']], [['--dry-run', '-o', '-']]])(
    'prints the report as JSON on stdout, and nothing else there: %j',
    async (args) => {
      const { run } = await createCountedFolder(documents)
      const { stdout, code } = await run(['summarize', 'docs', '--report', '-', ...args])
      expect(code).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({
        format: args.includes('--dry-run') ? 'claude-batch estimate' : 'claude-batch report',
      })
    },
  )

  it('is refused if results are printed there', async () => {
    const { run } = await createCountedFolder(documents)
    const { stdout, stderr, code, hits } = await run(['summarize', 'docs', '-o', '-', '--report', '-'])
    expect([stdout, code, hits]).toEqual(['', 2, 0])
    expect(stderr).toBe('claude-batch: --report -: stdout is for the results; name a file, or /dev/stderr\n')
  })

  it('prints the report of a failed run, and keeps its exit code', async () => {
    const folder = await createCountedFolder(documents)
    folder.behave = () => ({ kind: 'status', status: 400, message: 'no' })
    const { stdout, code } = await folder.run(['summarize', 'docs', '--report', '-', '--quiet'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout).totals).toMatchObject({ failed: 2 })
  })

  it('ends with 141 if the reader of stdout has ended, as -o - does, and keeps the summaries', async () => {
    const { env, cwd } = await createCountedFolder(documents)
    const args = ['summarize', 'docs', '--report', '-']
    const { code } = await runInProcess(args, { cwd, env, clockSpeed: 500, stdoutError: 'EPIPE' })
    expect(code).toBe(141)
    expect(await readFile(join(cwd, 'summaries/docs/a.md.summary.md'), 'utf8')).not.toBe('')
  })

  it('may come from a configuration file, and excludes no input', async () => {
    const { run, cwd } = await createCountedFolder({ ...documents, '-': 'a note' })
    await writeFile(join(cwd, 'claude-batch.yaml'), 'report: "-"\n')
    const { stdout } = await run(['summarize', './-'])
    expect(JSON.parse(stdout).totals).toMatchObject({ summarized: 1 })
  })

  it('prints the report of collected batches', async () => {
    const { run } = await createCountedFolder(documents)
    await run(['summarize', 'docs', '--batch', '--detach'])
    const { stdout } = await run(['batches', 'collect', '--report', '-'])
    expect(JSON.parse(stdout)).toMatchObject({ format: 'claude-batch report' })
  })
})
