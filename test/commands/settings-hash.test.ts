import { copyFile, mkdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { getDefaults } from '../../src/config/flag.ts'
import { summarizeFlags } from '../../src/config/summarize-flags.ts'
import { createDocumentReader } from '../../src/inputs/read/read-document.ts'
import type { ReaderSettings } from '../../src/inputs/read/readers/document-formats.ts'
import { loadRequestBuilder } from '../../src/run/request-builder.ts'
import type { RequestOptions } from '../../src/run/request-options.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const chapters = Array.from(
  { length: 12 },
  (_, n) => `# Chapter ${n}\n\n${`Of voyage ${n} there is much to tell, of ports. `.repeat(30)}\n\n`,
)
const own = (text: string) => `versions:\n  v1:\n    user_template: "${text}: {text}"\n`
const schema = (title: string) =>
  JSON.stringify({ type: 'object', title, properties: {}, additionalProperties: false })
/** A PDF like a scan: one page without text. */
const scan = (width: number) => `%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 ${width} 200]>>endobj
trailer<</Root 1 0 R>>`

const files = {
  'prompts/ours.yaml': `${own('Sum up {tone}')}  v2:\n    user_template: "Shorten {tone}: {text}"\n`,
  'prompts/chunk.yaml': own('Notes'),
  'prompts/reduce.yaml': own('Together'),
  'schema.json': schema('one'),
  'other.json': schema('other'),
  'docs/short.md': 'A short note.\n',
  'docs/long.md': chapters.join(''),
  'docs/latin.txt': Buffer.from('Caf\xe9 \xfcber alles, se\xf1or.\n', 'latin1'),
  'docs/scan.pdf': scan(200),
  // A PDF is recognized without its extension.
  'docs/scanned': scan(300),
}
const paths = ['short.md', 'long.md', 'latin.txt', 'scan.pdf', 'scanned', 'text.pdf'].map(
  (name) => `docs/${name}`,
)
const textual = resolve(import.meta.dirname, '../../fixtures/kinds/libreoffice.pdf')

async function folder(): Promise<string> {
  const cwd = await createFolder(files)
  await copyFile(textual, join(cwd, 'docs/text.pdf'))
  return cwd
}

const base: RequestOptions = {
  ...getDefaults(summarizeFlags),
  prompt: 'ours@v1',
  var: { tone: 'dryly' },
  encoding: 'windows-1252',
  chunkTokens: 2000,
}

/** The request hash of each document, or the reason why it has none; and the settings hashes. */
async function hashesOf(cwd: string, options: RequestOptions) {
  const { promptChoice, requestBuilder } = await loadRequestBuilder(options, { cwd, inputRoots: [] })
  const { encoding, pdf } = options
  const converters = { commands: options.convert, env: process.env, endProcessGroup: () => {} }
  const read = createDocumentReader({ cwd, stdin: Readable.from([]), encoding, pdf, converters })
  const requests: string[] = []
  for (const [index, path] of paths.entries()) {
    const document = await read({ index, path, namedByUser: true })
    if ('action' in document) {
      requests.push(document.type)
      continue
    }
    const parts = await requestBuilder.chunker?.planChunks(document)
    if (parts !== undefined && 'action' in parts) requests.push(parts.type)
    else requests.push(parts?.requestHash ?? requestBuilder.buildRequest(document).hash)
  }
  return { requests, settings: new Set(paths.map((path) => promptChoice.getProvenance(path).settingsHash)) }
}

describe('a setting that changes the request of a document', () => {
  /** Another value for every flag that affects requests. */
  const flags: { readonly [Flag in keyof RequestOptions | keyof ReaderSettings]-?: Partial<RequestOptions> } =
    {
      prompt: { prompt: 'ours@v2' },
      model: { model: 'sonnet' },
      maxTokens: { maxTokens: 500 },
      effort: { effort: 'high' },
      var: { var: { tone: 'warmly' } },
      instructions: { prompt: 'summarize', var: {}, instructions: 'List the dates.' },
      encoding: { encoding: 'shift_jis' },
      pdf: { pdf: 'native' },
      convert: { convert: { txt: `"${process.execPath}" -p 1 {}` } },
      chunkTokens: { chunkTokens: 4000 },
      schema: { schema: 'schema.json' },
      language: { language: 'German' },
      words: { words: 50 },
      citations: { citations: true },
      simulate: { simulate: true },
      provider: { provider: 'bedrock' },
    }

  it('changes the settings hash, too, for every flag', async () => {
    const cwd = await folder()
    const before = await hashesOf(cwd, base)
    expect(before.settings.size).toBe(1)
    for (const [flag, change] of Object.entries(flags)) {
      const after = await hashesOf(cwd, { ...base, ...change })
      expect(after.requests, flag).not.toEqual(before.requests)
      expect(after.settings, flag).not.toEqual(before.settings)
    }
  })

  it('changes the settings hash, too, for every file', async () => {
    const cwd = await folder()
    const options = { ...base, schema: 'schema.json' }
    const hashes = [await hashesOf(cwd, options)]
    for (const [file, text] of [
      ['prompts/ours.yaml', own('Sum it up {tone}')],
      ['prompts/chunk.yaml', own('Other notes')],
      ['prompts/chunk.yaml', `${own('Other notes')}    max_tokens: 99\n`],
      ['prompts/reduce.yaml', own('All together')],
      ['schema.json', schema('another')],
    ] as const) {
      await writeFile(join(cwd, file), text)
      hashes.push(await hashesOf(cwd, options))
    }
    expect(new Set(hashes.map(({ requests }) => requests.join())).size).toBe(hashes.length)
    expect(new Set(hashes.map(({ settings }) => [...settings].join())).size).toBe(hashes.length)
  })

  it('a comment in a prompt file changes neither the request hash nor the settings hash', async () => {
    const cwd = await folder()
    const before = await hashesOf(cwd, base)
    await writeFile(join(cwd, 'prompts/ours.yaml'), `# A comment.\n${files['prompts/ours.yaml']}`)
    expect(await hashesOf(cwd, base)).toEqual(before)
  })
})

describe('a folder of unchanged documents', () => {
  async function setting() {
    const cwd = await createFolder({
      'docs/long.md': chapters.join(''),
      'docs/short.md': 'A short note.\n',
      'docs/scanned': scan(300),
    })
    const asked: string[] = []
    const { env, simulator } = await startService({
      batches: { durationMs: 5 },
      script: ({ request }) => {
        asked.push(request.lastText)
        return { kind: 'answer', delayMs: 1 }
      },
    })
    const run = async (...args: string[]) => {
      const before = asked.length
      const ended = await runInProcess(['summarize', 'docs', 'docs/scanned', ...args], {
        cwd,
        env,
        clockSpeed: 100,
      })
      expect(ended.code, ended.stderr).toBe(0)
      return { ...ended, asked: asked.slice(before) }
    }
    return { cwd, run, simulator }
  }

  it.each<[string, string[], Record<string, string>]>([
    ['--chunk-tokens', ['--chunk-tokens', '3000'], {}],
    ['a prompt for chunks', [], { 'prompts/chunk.yaml': own('Our notes') }],
    ['a prompt for notes', [], { 'prompts/reduce.yaml': own('Our whole') }],
  ])('has only its long documents summarized again after a change of %s', async (_, args, prompts) => {
    const { cwd, run } = await setting()
    const flags = ['--chunk-tokens', '2000']
    await run(...flags)
    expect((await run(...flags)).asked).toEqual([])
    for (const [path, text] of Object.entries(prompts)) {
      await mkdir(dirname(join(cwd, path)), { recursive: true })
      await writeFile(join(cwd, path), text)
    }
    const { asked, stderr } = await run(...flags, ...args, '--redo', 'settings')
    expect(stderr).toContain('1 (settings changed): docs/long.md')
    expect(stderr).toContain('2 unchanged')
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.filter((text) => text.includes('A short note.'))).toEqual([])
    expect((await run(...flags, ...args)).asked).toEqual([])
  })

  it('has a PDF without extension processed again after a change of --pdf', async () => {
    const { run } = await setting()
    await run('--pdf', 'native')
    const { code, stderr } = await run('--pdf', 'text').catch((error: Error) => ({
      code: 1,
      stderr: error.message,
    }))
    expect([code, stderr]).toEqual([1, expect.stringContaining('docs/scanned: no text on its one page')])
  })

  it.each([
    ['live', []],
    ['in a batch', ['--batch']],
  ])('has a PDF summarized again after its bytes change, %s', async (_, args) => {
    const { cwd, run } = await setting()
    await run(...args)
    const file = join(cwd, 'docs/scanned')
    // The file keeps its size and its number of pages.
    await writeFile(file, (await readFile(file, 'latin1')).replace('0 0 300', '0 0 301'), 'latin1')
    await utimes(file, 1, 1)
    const { asked, stderr } = await run(...args)
    expect(stderr).toContain('1 (document changed): docs/scanned')
    expect(asked).toHaveLength(1)
  })
})

describe('an invalid prompt for chunks', () => {
  it('ends the run before any request, even if no document is long', async () => {
    const cwd = await createFolder({
      'a.md': 'A short note.\n',
      'prompts/chunk.yaml': own('Notes for {whom}'),
    })
    const { env, simulator } = await startService({})
    const { code, stderr } = await runInProcess(['summarize', 'a.md'], { cwd, env })
    expect([code, stderr]).toEqual([2, expect.stringContaining('prompts/chunk.yaml')])
    expect(simulator.stats().requests).toBe(0)
  })
})
