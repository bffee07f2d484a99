import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { DocumentRef } from '../../src/core/document/document.ts'
import type { Outcome, RequestMetadata } from '../../src/core/run/outcome.ts'
import type { Sink } from '../../src/core/run/sink.ts'
import { createJsonlSink } from '../../src/sinks/jsonl-sink.ts'
import { createRecordingSink } from '../../src/sinks/recording-sink.ts'
import { createTextSink } from '../../src/sinks/text-sink.ts'
import { createStreamWriter } from '../../src/storage/fs/stream-writer.ts'
import { createFolder } from '../support/run-cli.ts'
import { openSummaryWriter } from '../support/summary-writer.ts'

const paths = ['a.md', 'b.md', 'c.md', 'd.md']
const sources: DocumentRef[] = paths.map((path, index) => ({ index, path, namedByUser: true }))

const outcomes: Outcome[] = sources.map((source, index) => {
  const requestMetadata: RequestMetadata = {
    requestHash: `key ${index}`,
    fingerprint: { size: 1, sha256: 's' },
    characters: 1,
    kind: 'prose',
  }
  const base = { document: source, requestMetadata, attempts: [], elapsedMs: 1 }
  switch (index) {
    case 0:
      return { ...base, status: 'summarized', text: 'ERROR: 529 is what the document is about.' }
    case 1:
      return {
        ...base,
        status: 'failed',
        failure: { kind: 400, type: 'invalid_request_error', message: 'no\nway', transient: false },
        partialText: 'half a',
      }
    case 2:
      return { ...base, status: 'skipped', type: 'empty', reason: 'the document is empty' }
    default:
      return { ...base, status: 'summarized', text: 'Last.' }
  }
})

const facts = { prompt: 'summarize@v2', model: 'claude-haiku-5-5', settingsHash: 'r' }

/** An open sink, and a function that reads back its contents: the summary or error of each path. */
interface Opened {
  readonly sink: Sink
  read(): Promise<Map<string, { summary?: string; error?: string }>>
}

const collected =
  (
    make: (write: (text: string) => Promise<void>) => Sink,
    parse: (text: string) => Map<string, { summary?: string; error?: string }>,
  ) =>
  async (): Promise<Opened> => {
    let text = ''
    const stream = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk)
        setImmediate(done)
      },
    })
    return { sink: make(createStreamWriter(stream, 'stdout')), read: async () => parse(text) }
  }

const parseJsonl = (text: string) =>
  new Map(
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ summary, error }) => summary !== undefined || error !== undefined)
      .map(({ path, summary, error }) => [
        path,
        { ...(summary && { summary }), ...(error && { error: `${error.kind} ${error.type}` }) },
      ]),
  )

const parseText = (text: string) =>
  new Map(
    [...text.matchAll(/==> (\S+) <==\n([^\n]*)/g)].map(([, path = '', body = '']) => [
      path,
      // Text output cannot distinguish a summary from an error by its words; JSONL and files can.
      path === 'b.md' ? { error: body.replace(/^ERROR: ([^:]+):.*/, '$1') } : { summary: body },
    ]),
  )

const files = async (): Promise<Opened> => {
  const out = await createFolder({})
  return {
    sink: await openSummaryWriter(out, sources),
    async read() {
      const found = new Map<string, { summary?: string; error?: string }>()
      for (const name of (await readdir(out)).filter((name) => !name.startsWith('.'))) {
        const content = await readFile(join(out, name), 'utf8')
        if (name.endsWith('.summary.md'))
          found.set(name.replace('.summary.md', ''), { summary: content.trimEnd() })
        else
          found.set(name.replace('.error.txt', ''), {
            error: content.replace(/^ERROR: ([^:]+):[\s\S]*/, '$1'),
          })
      }
      return found
    },
  }
}

describe.each<[string, () => Promise<Opened>]>([
  ['files', files],
  ['jsonl', collected(createJsonlSink, parseJsonl)],
  [
    'text',
    collected(
      (write) => createTextSink(write, { headers: true, isTerminal: false, footnotes: true }),
      parseText,
    ),
  ],
  [
    'jsonl for a report',
    collected(
      (write) => createRecordingSink(createJsonlSink(write), () => facts, { wallTime: () => 0 }),
      parseJsonl,
    ),
  ],
])('a sink, %s', (_name, open) => {
  const expected = new Map([
    ['a.md', { summary: 'ERROR: 529 is what the document is about.' }],
    ['b.md', { error: '400 invalid_request_error' }],
    ['d.md', { summary: 'Last.' }],
  ])

  it('contains every summary and failure, never both of one document, and no skipped document', async () => {
    const { sink, read } = await open()
    for (const outcome of outcomes) await sink.write(outcome)
    await sink.close()
    expect(await read()).toEqual(expected)
  })

  it('contains everything that was written before it was closed, for any document indexes', async () => {
    const { sink, read } = await open()
    const numbers = [7, 7, 3, 1_000_000]
    const gaps = outcomes.map((it, n) => ({ ...it, document: { ...it.document, index: numbers[n] ?? 0 } }))
    for (const outcome of gaps) await sink.write(outcome)
    await sink.close()
    expect(await read()).toEqual(expected)
  })

  it('accepts overlapping writes in any order', async () => {
    const { sink, read } = await open()
    await Promise.all([3, 1, 0, 2].map((index) => sink.write(outcomes[index] as Outcome)))
    await sink.close()
    expect(await read()).toEqual(expected)
  })
})
