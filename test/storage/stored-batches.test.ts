import {
  appendFile,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { BatchItem } from '../../src/core/batch/batch.ts'
import type { DocumentEntry } from '../../src/core/run/ledger-entry.ts'
import type { BatchBuilderOptions } from '../../src/storage/batch-builder.ts'
import { listStoredBatches, openStoredBatches } from '../../src/storage/stored-batches.ts'

const settings = { maxTokens: 1024, frontMatter: false }

const packed = (path: string): BatchItem => ({
  path,
  asked: {
    requestHash: `key of ${path}`,
    fingerprint: { size: 3, mtimeMs: 1.5, sha256: 'abc' },
    characters: 30,
    kind: 'prose',
    provenance: { prompt: 'summarize@v2', model: 'claude-haiku-5-5', settingsHash: 'r' },
    answerSettings: settings,
  },
})

async function setting() {
  const out = await mkdtemp(join(tmpdir(), 'batches-'))
  onTestFinished(() => rm(out, { recursive: true }))
  const folder = join(out, '.claude-batch/batches')
  const options: BatchBuilderOptions = {
    out,
    cwdFromOut: '..',
    baseUrl: 'https://api.example',
    clock: { wallTime: () => 1_700_000_000_000 },
  }
  const open = (more: Partial<BatchBuilderOptions> = {}) => openStoredBatches({ ...options, ...more })
  async function filled(count = 2) {
    const packing = await (await open()).createBuilder()
    for (let n = 0; n < count; n++)
      await packing.add(`id_${n}`, packed(`docs/${n}.md`), JSON.stringify({ n }))
    return packing
  }
  const bodyOf = async (body: AsyncIterable<Uint8Array>) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of body) chunks.push(chunk)
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown
  }
  return { out, folder, open, filled, bodyOf, options }
}

describe('stored batches', () => {
  it('contain the items of the builder when the folder is opened again', async () => {
    const { open, filled, bodyOf, folder } = await setting()
    const packing = await filled()
    const { size: load } = packing
    const batch = await packing.seal()
    expect(await bodyOf(batch.readBody())).toEqual({ requests: [{ n: 0 }, { n: 1 }] })
    expect(load).toEqual({
      items: 2,
      bytes: (await readFile(join(folder, `${batch.localId}.body`))).length - 1,
    })
    const entries: string[] = []
    for await (const entry of batch.readEntries()) entries.push(entry)
    expect(entries).toEqual(['{"n":0}', '{"n":1}'])
    const [again] = (await open()).openBatches
    expect(again).toMatchObject({ localId: batch.localId, endpoint: 'https://api.example', id: undefined })
    expect([...(again?.items ?? [])]).toEqual([
      ['id_0', packed('docs/0.md')],
      ['id_1', packed('docs/1.md')],
    ])
  })

  it('record that a batch was created, and then contain no texts', async () => {
    const { open, filled, folder } = await setting()
    const batch = await (await filled()).seal()
    await batch.markCreated('msgbatch_1')
    expect(batch.id).toBe('msgbatch_1')
    expect(await readdir(folder)).toEqual([`${batch.localId}.jsonl`])
    const [again] = (await open()).openBatches
    expect(again?.id).toBe('msgbatch_1')
    await again?.remove()
    expect(await readdir(folder)).toEqual([])
  })

  it('know which outcomes are in the ledger already', async () => {
    const { open, filled } = await setting()
    await (await (await filled()).seal()).markCreated('msgbatch_1')
    const batches = await open()
    batches.observe({ batch_id: 'msgbatch_1' } as DocumentEntry, 'docs/0.md')
    batches.observe({ batch_id: 'msgbatch_other' } as DocumentEntry, 'docs/1.md')
    const [batch] = batches.openBatches
    expect([batch?.isSettled('docs/0.md'), batch?.isSettled('docs/1.md')]).toEqual([true, false])
  })

  it('know which documents were settled while the batch was kept for others', async () => {
    const { open, filled } = await setting()
    const batch = await (await filled()).seal()
    await batch.markCreated('msgbatch_1')
    await batch.markSettled(['id_1', 'id_9'])
    const [again] = (await open()).openBatches
    expect([again?.isSettled('docs/0.md'), again?.isSettled('docs/1.md')]).toEqual([false, true])
    expect(again?.items.size).toBe(2)
  })

  it('drop batches that were never sealed, and so never sent, and bodies without a batch', async () => {
    const { open, filled, folder } = await setting()
    await filled()
    await writeFile(join(folder, '0123456789abcdef.body'), 'x')
    await writeFile(join(folder, 'notes.txt'), 'mine')
    expect((await readdir(folder)).length).toBe(4)
    expect((await open()).openBatches).toEqual([])
    expect(await readdir(folder)).toEqual(['notes.txt'])
  })

  it('ignore a torn last line', async () => {
    const { open, filled, folder } = await setting()
    const batch = await (await filled()).seal()
    const file = join(folder, `${batch.localId}.jsonl`)
    await appendFile(file, '{"type":"created","id":"msgba')
    const [again] = (await open()).openBatches
    expect(again?.id).toBeUndefined()
    await again?.markCreated('msgbatch_1')
    expect((await open()).openBatches[0]?.id).toBe('msgbatch_1')
    // A batch that is cut off before its seal was never sent.
    const whole = await readFile(file)
    await truncate(file, whole.indexOf('"sealed_at"'))
    expect((await open()).openBatches).toEqual([])
  })

  it('have paths relative to the current working directory', async () => {
    const { filled, options } = await setting()
    await (await filled(1)).seal()
    const [batch] = await listStoredBatches({ ...options, cwdFromOut: '../docs' })
    expect([...(batch?.items.values() ?? [])].map(({ path }) => path)).toEqual(['0.md'])
  })

  it('are not sent if the file of the body is missing or a symbolic link', async () => {
    const { filled, bodyOf, folder, out } = await setting()
    const batch = await (await filled()).seal()
    const body = join(folder, `${batch.localId}.body`)
    await rename(body, join(out, 'elsewhere'))
    await expect(bodyOf(batch.readBody())).rejects.toMatchObject({
      exit: 'ioError',
      message: /there is no such file/,
    })
    await symlink(join(out, 'elsewhere'), body)
    await expect(bodyOf(batch.readBody())).rejects.toMatchObject({
      exit: 'ioError',
      message: /is a symbolic link/,
    })
    await batch.remove()
    expect(await readFile(join(out, 'elsewhere'), 'utf8')).toContain('requests')
  })

  it.each([
    ['newer', '"format_version":5', /written by a newer claude-batch/],
    ['older', '"v":1', /older claude-batch \(format 1\); .*delete the file to give the batch up/],
  ])('are not changed if a %s version wrote them', async (_, version, message) => {
    const { open, filled, folder } = await setting()
    const batch = await (await filled()).seal()
    const file = join(folder, `${batch.localId}.jsonl`)
    const text = (await readFile(file, 'utf8')).replace('"format_version":4', version)
    await writeFile(file, text)
    await expect(open()).rejects.toMatchObject({ exit: 'usage', message })
    expect(await readFile(file, 'utf8')).toBe(text)
  })
})
