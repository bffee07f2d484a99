import { execFile } from 'node:child_process'
import { readdir, readFile, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { readDocuments } from '../../src/documents.ts'
import { ClaudeBatchError, createClient, type Outcome, summarizeAll, type Text } from '../../src/index.ts'
import { answerWith, collectItems, createLibraryClient, getRejection } from '../support/library-client.ts'
import { startRecordingServer } from '../support/recording-server.ts'
import { createFolder, runCli } from '../support/run-cli.ts'

const root = resolve(import.meta.dirname, '../..')
const kinds = join(root, 'fixtures/kinds')
const images = ['+png', '+jpg', '+gif', '+webp', '+tif']

const tides = '# Tides\n\nHigh water is at 06:12, and the ferry waits for it.\n'
/** A Word document that is damaged after its first bytes. */
const brokenWord = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(400, 7)])
/** Reading it takes about ten seconds. */
const slowTable = Buffer.from(`<table>${'<tr><td>a<td>b'.repeat(700_000)}</table>`)

const byId = <Item extends { id: string }>(items: readonly Item[]) =>
  items.toSorted((a, b) => (a.id < b.id ? -1 : 1))
const toResult = (outcome: Outcome) =>
  outcome.status === 'failed' ? [outcome.id, outcome.error.type] : [outcome.id, outcome.status]

describe('readDocuments', () => {
  it('makes summarizeAll send the same requests as the command line, for every format', async () => {
    const server = await startRecordingServer()
    const cwd = await createFolder({})
    await symlink(kinds, join(cwd, 'kinds'), 'dir')
    // The command line may send equal requests once.
    const takeMessages = () =>
      new Set(server.bodies.splice(0).map(({ system, messages }) => JSON.stringify({ system, messages })))

    const flags = ['--ext', images.join(','), '--rpm', '60000', '--format', 'jsonl', '-o', '-']
    const { stdout } = await runCli(['summarize', 'kinds', ...flags], { cwd, env: server.env })
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { path: string; status: string; error?: { type: string } })
    const asked = takeMessages()
    expect(asked.size).toBeGreaterThan(60)

    const client = createClient({ env: server.env, rpm: 60_000 })
    const outcomes = await collectItems(
      summarizeAll(readDocuments('kinds', { cwd, ext: images }), { client }),
    )
    await client.close()
    expect(takeMessages()).toEqual(asked)
    expect(byId(outcomes).map(toResult)).toEqual(
      byId(lines.map((line) => ({ ...line, id: line.path }))).map(({ id, status, error }) => [
        id,
        error?.type ?? status,
      ]),
    )
    const types = new Set(outcomes.map((outcome) => toResult(outcome)[1]))
    expect([...types].sort()).toEqual(['encrypted', 'summarized', 'unsupported'])
  })

  it('gives each document that cannot be read one failed outcome that costs nothing', async () => {
    const cwd = await createFolder({
      'docs/a.md': tides,
      'docs/b.docx': brokenWord,
      'docs/c.txt': Buffer.from([0x61, 0xe9, 0x62]),
      'docs/d.pdf': '',
    })
    const { client, simulator } = await createLibraryClient({ script: () => answerWith('Done.') })
    const outcomes = await collectItems(summarizeAll(readDocuments('docs', { cwd }), { client }))
    expect(byId(outcomes).map(toResult)).toEqual([
      ['docs/a.md', 'summarized'],
      ['docs/b.docx', 'malformed'],
      ['docs/c.txt', 'not_utf8'],
      ['docs/d.pdf', 'empty'],
    ])
    expect(byId(outcomes)[2]).toMatchObject({
      status: 'failed',
      error: {
        status: null,
        message:
          "not UTF-8 from byte 1 on; name its encoding, for example encoding: 'windows-1252', or use encoding: 'auto'",
        transient: false,
        requestId: null,
      },
      attempts: 0,
      costUsd: 0,
    })
    expect(simulator.stats().requests).toBe(1)
  })

  it('reads documents that are not files by their names and contents, after the files', async () => {
    const cwd = await createFolder({ 'a.md': tides })
    const data = {
      'report.docx': await readFile(join(kinds, 'libreoffice.docx')),
      'report.pdf': new Uint8Array(await readFile(join(kinds, 'libreoffice.pdf'))),
      'no-extension': await readFile(join(kinds, 'libreoffice.html')),
      '../secret.png': await readFile(join(kinds, 'image.png')),
      '-': Buffer.from('A text that is called like stdin.'),
      'empty.txt': new Uint8Array(),
      'huge.txt': new Uint8Array(10_000_001),
      'broken.docx': brokenWord,
    }
    const inputs = [...Object.entries(data).map(([name, data]) => ({ name, data })), 'a.md']
    const read = await collectItems(readDocuments(inputs, { cwd }))
    expect(read.map((item) => item.id)).toEqual(['a.md', ...Object.keys(data)])
    const results = read.map((item) =>
      'error' in item ? item.error.type : (item.upload?.type ?? /Norvik|# Tide|A text/.exec(item.text)?.[0]),
    )
    expect(results.slice(5)).toEqual(['A text', 'empty', 'too_large', 'malformed'])
    expect(results.slice(0, 5)).toEqual(['# Tide', 'Norvik', 'Norvik', 'Norvik', 'images'])
    expect(data['report.pdf'].byteLength).toBeGreaterThan(1000)
  })

  it('takes the documents of an async iterable one by one, as summarizeAll has room', async () => {
    const taken: number[] = []
    let isClosed = false
    async function* uploads() {
      try {
        for (let n = 0; n < 1000; n++) {
          taken.push(n)
          yield { name: `${n}.md`, data: Buffer.from(tides) }
        }
      } finally {
        isClosed = true
      }
    }
    const { client } = await createLibraryClient(
      { script: () => answerWith('Done.', 20) },
      { concurrency: 2 },
    )
    for await (const outcome of summarizeAll(readDocuments(uploads()), { client })) {
      expect(outcome.status).toBe('summarized')
      break
    }
    expect(taken.length).toBeLessThan(20)
    expect(isClosed).toBe(true)
  })

  it('finds the documents that the command line finds, and reports what it skips', async () => {
    const cwd = await createFolder({
      '.git/HEAD': 'ref: refs/heads/main\n',
      '.gitignore': 'build/\n',
      '.claude-batchignore': 'private.md\n',
      'build/a.md': tides,
      'private.md': tides,
      'docs/a.md': tides,
      'docs/A.MD.summary.md': tides,
      'docs/b.md': '',
      'docs/c.json': '{}',
      'docs/.hidden.md': tides,
      'drafts/d.md': tides,
      'notes[1].md': tides,
      '-': tides,
    })
    const skipped: unknown[] = []
    const find = (inputs: string | string[], options = {}) =>
      collectItems(readDocuments(inputs, { cwd, onSkip: (one) => skipped.push(one), ...options }))
    const ids = async (...args: Parameters<typeof find>) => (await find(...args)).map(({ id }) => id)
    expect(await ids('.', { exclude: ['drafts/'] })).toEqual(['docs/a.md', 'notes[1].md'])
    expect(skipped).toEqual([
      { type: 'excluded_folder', message: 'folders excluded by a pattern', count: 1, ids: ['drafts'] },
      { type: 'extension', message: 'files without an extension', count: 1, ids: [] },
      { type: 'extension', message: '.json is not in ext', count: 1, ids: [] },
      {
        type: 'earlier_output',
        message: 'by its name, the output of an earlier run',
        count: 1,
        ids: ['docs/A.MD.summary.md'],
      },
      { type: 'empty', message: 'the document is empty', count: 1, ids: ['docs/b.md'] },
    ])
    expect(await ids(['docs/*.json', 'notes[1].md', 'notes[1].md', '-'])).toEqual([
      './-',
      'docs/c.json',
      'notes[1].md',
    ])
    expect(skipped).toContainEqual({
      type: 'duplicate',
      message: 'found more than once',
      count: 1,
      ids: ['notes[1].md'],
    })
    expect(await ids('docs', { ext: ['.JSON'], hidden: true })).toEqual(['docs/c.json'])
    expect(await ids('.', { ignore: false, ext: ['md'], exclude: ['docs'] })).toEqual([
      'build/a.md',
      'drafts/d.md',
      'notes[1].md',
      'private.md',
    ])
  })

  it('passes warnings on, and reads other encodings', async () => {
    const cwd = await createFolder({ 'a.txt': Buffer.from('caf\xe9 \x96 tide', 'latin1') })
    const warnings: string[] = []
    const onWarning = (text: string) => warnings.push(text)
    const options = { cwd, encoding: 'latin1', exclude: ['nothing/'], onWarning }
    expect(await collectItems(readDocuments('.', options))).toEqual([{ id: 'a.txt', text: 'café – tide' }])
    expect(warnings).toEqual([
      'the exclude pattern "nothing/" matches nothing; check its spelling',
      'a.txt is not UTF-8; it and similar documents are read as windows-1252',
    ])
  })

  it.each([
    [
      'a path that does not exist',
      ['docs', 'missing.md'],
      'nothing matches "missing.md"; check the path or pattern',
    ],
    ['a pattern without a match', ['docs', '*.rtf'], 'nothing matches "*.rtf"; check the path or pattern'],
    ['an empty text', [''], 'nothing matches ""; check the path or pattern'],
    [
      'a directory without documents',
      ['empty'],
      'no documents found in "empty"; check ext, exclude, hidden and ignore',
    ],
    [
      'an output of an earlier run',
      ['docs/a.md.summary.md'],
      'by name and location, "docs/a.md.summary.md" comes from an earlier run; rename it, or pass { name, data }',
    ],
  ])('throws a no_input error for %s, before anything is sent', async (_name, inputs, message) => {
    const cwd = await createFolder({
      'docs/a.md': tides,
      'docs/a.md.summary.md': tides,
      'empty/x.json': '{}',
    })
    const { client, simulator } = await createLibraryClient()
    const error = await getRejection(collectItems(summarizeAll(readDocuments(inputs, { cwd }), { client })))
    expect(error).toBeInstanceOf(ClaudeBatchError)
    expect(error).toMatchObject({ type: 'no_input', message, status: null, transient: false, costUsd: 0 })
    expect(simulator.stats().requests).toBe(0)
  })

  it('throws a configuration error for a pattern that could take exponential time', async () => {
    const error = await getRejection(collectItems(readDocuments(`${'*a'.repeat(20)}.md`)))
    expect(error).toMatchObject({
      type: 'configuration',
      message: expect.stringMatching(/is too complicated; use fewer wildcards, or a list of paths$/),
    })
  })

  it.each<[string, unknown, unknown, string]>([
    ['no inputs', [], {}, 'readDocuments: there are no inputs'],
    ['null', null, {}, 'expected a path, or { name, data }'],
    ['a number', [1], {}, 'expected a path, or { name, data }'],
    ['a text as data', [{ name: 'a.md', data: 'text' }], {}, 'a Uint8Array as data'],
    ['data without a name', { data: new Uint8Array(1) }, {}, 'expected a path, or { name, data }'],
    ['an unknown option', '.', { extensions: [] }, 'readDocuments has no option extensions'],
    ['an option of objects', '.', { toString: 1 }, 'readDocuments has no option toString'],
    ['ext as a text', '.', { ext: 'md' }, 'ext must be a list of texts'],
    ['an invalid ext', '.', { ext: ['m d'] }, 'expected extensions like md,txt'],
    ['an empty ext', '.', { ext: [] }, 'expected extensions like md,txt'],
    ['an unknown encoding', '.', { encoding: 'utf-9' }, 'expected an encoding like windows-1252'],
    ['an unknown pdf mode', '.', { pdf: 'images' }, 'pdf must be auto, text or native'],
    ['a wrong signal', '.', { signal: {} }, 'signal must be an AbortSignal'],
    ['options that are null', '.', null, 'the options must be an object'],
  ])('throws a TypeError immediately for %s', (_name, inputs, options, message) => {
    const call = () => readDocuments(inputs as string, options as object)
    expect(call).toThrow(TypeError)
    expect(call).toThrow(message)
  })

  it('throws the error of an async iterable, and a TypeError for an item of it that is no document', async () => {
    const broken = new Error('the store is down')
    async function* failing() {
      yield { name: 'a.md', data: Buffer.from(tides) }
      throw broken
    }
    expect(await getRejection(collectItems(readDocuments(failing())))).toBe(broken)
    async function* wrong() {
      yield 'a.md' as never
    }
    expect(await getRejection(collectItems(readDocuments(wrong())))).toBeInstanceOf(TypeError)
  })

  it('throws the reason of the signal, also while it reads a document or waits for one', async () => {
    const reason = new Error('the user left')
    const aborted = readDocuments('.', { signal: AbortSignal.abort(reason) })
    expect(await getRejection(collectItems(aborted))).toBe(reason)

    const leaving = new AbortController()
    const slow = { name: 'slow.html', data: slowTable }
    const reading = getRejection(collectItems(readDocuments(slow, { signal: leaving.signal })))
    // The thread has started.
    await delay(100)
    leaving.abort(reason)
    expect(await reading).toBe(reason)

    const waiting = new AbortController()
    async function* never() {
      yield await new Promise<never>(() => {})
    }
    const next = getRejection(collectItems(readDocuments(never(), { signal: waiting.signal })))
    waiting.abort(reason)
    expect(await next).toBe(reason)
  })

  it('can be called many times at the same time', async () => {
    const data = await readFile(join(kinds, 'libreoffice.docx'))
    const reads = Array.from({ length: 8 }, () => collectItems(readDocuments({ name: 'a.docx', data })))
    const texts = (await Promise.all(reads)).map(([first]) => (first as Text).text.length)
    expect(new Set(texts)).toEqual(new Set([2013]))
  })
})

describe('a program', () => {
  it('reads documents when its code is on the command line, with the flags that this needs', async () => {
    const code = `
import { readDocuments } from ${JSON.stringify(join(root, 'dist/documents.js'))}
const data = Buffer.from('<p>The tide is high.</p>')
// A part of a larger buffer, as Node.js and parsers of uploads have.
for await (const { text } of readDocuments({ name: 'a.html', data: data.subarray(0, 19) })) console.log(text)`
    const flags = ['--input-type=module', '--eval', code]
    const { stdout } = await promisify(execFile)(process.execPath, flags)
    expect(stdout).toBe('The tide is high\n')
  })

  it('that leaves the loop ends, although a document is still being read', async () => {
    const cwd = await createFolder({
      'a.md': tides,
      'b.html': slowTable,
      'program.mjs': `
import { readDocuments } from ${JSON.stringify(join(root, 'dist/documents.js'))}
const documents = readDocuments(['a.md', 'b.html'])
console.log((await documents.next()).value.id)
const pending = documents.next()
await new Promise((resolve) => setTimeout(resolve, 100))
const leftAt = performance.now()
await documents.return()
console.log(JSON.stringify(await pending))
process.on('exit', () => console.log(performance.now() - leftAt < 3000))`,
    })
    const { stdout } = await promisify(execFile)(process.execPath, ['program.mjs'], { cwd })
    expect(stdout).toBe('a.md\n{"done":true}\ntrue\n')
  })
})

describe('an upload for summarizeAll', () => {
  it('is sent next to its text', async () => {
    const server = await startRecordingServer()
    const client = createClient({ env: server.env })
    const base64 = (await readFile(join(kinds, 'image.png'))).toString('base64')
    const image = { mediaType: 'image/png', base64, width: 8, height: 8 } as const
    const text: Text = { id: 'a', text: 'A chart.', upload: { type: 'images', images: [image] } }
    const [outcome] = await collectItems(summarizeAll([text], { client }))
    await client.close()
    expect(outcome?.status).toBe('summarized')
    expect(server.bodies[0]?.messages[0]?.content).toContainEqual({
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data: base64 },
    })
  })

  it.each([
    ['without pages', { type: 'pdf', base64: 'JVBERi0=' }],
    ['with pages that are no number', { type: 'pdf', base64: 'JVBERi0=', pages: Number.NaN }],
    ['with a content without marks', { type: 'pdf', base64: 'JVBERi0=', pages: 1, content: { text: 'a' } }],
    ['with a content that is null', { type: 'pdf', base64: 'JVBERi0=', pages: 1, content: null }],
    ['without images', { type: 'images', images: [] }],
    [
      'with an image of another type',
      { type: 'images', images: [{ mediaType: 'image/bmp', base64: 'AA==', width: 1, height: 1 }] },
    ],
    ['that is a text', 'JVBERi0='],
    ['that is null', null],
  ])('fails %s, and is not sent', async (_name, upload) => {
    const { client, simulator } = await createLibraryClient()
    const [outcome] = await collectItems(
      summarizeAll([{ id: 'a', text: 'b', upload: upload as never }], { client }),
    )
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { type: 'invalid_upload', message: 'its upload is neither a PDF nor images' },
    })
    expect(simulator.stats().requests).toBe(0)
  })
})

it('every format of the fixtures has an extension that is read', async () => {
  const names = await readdir(kinds)
  const unread: string[] = []
  await collectItems(readDocuments(kinds, { ext: images, onSkip: ({ message }) => unread.push(message) }))
  expect(names.length).toBeGreaterThan(80)
  expect(unread).toEqual(['.fods is not in ext'])
})
