import { mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { DocumentRef } from '../../src/core/document/document.ts'
import type { Outcome, RequestMetadata } from '../../src/core/run/outcome.ts'
import type { SummaryWriter } from '../../src/storage/summary-writer.ts'
import { createFolder } from '../support/run-cli.ts'
import { openSummaryWriter } from '../support/summary-writer.ts'

const source: DocumentRef = { index: 0, path: 'docs/a.md', namedByUser: true }
const requestMetadata: RequestMetadata = {
  requestHash: 'k',
  fingerprint: { size: 1, sha256: 's' },
  characters: 1,
  kind: 'prose',
}
const base = { document: source, requestMetadata, attempts: [], elapsedMs: 1 }
const good: Outcome = { ...base, status: 'summarized', text: 'Good.' }
const bad: Outcome = {
  ...base,
  status: 'failed',
  failure: { kind: 500, type: 'api_error', message: 'down', transient: true },
  partialText: 'Half',
}

/** Opens a writer that is closed after the test. */
async function opened(out: string, sources: readonly DocumentRef[]): Promise<SummaryWriter> {
  const sink = await openSummaryWriter(out, sources)
  onTestFinished(() => sink.close())
  return sink
}

describe('the summary writer', () => {
  it('mirrors the input tree, and leaves no temporary file', async () => {
    const out = await createFolder({})
    await (await opened(out, [source])).write(good)
    expect(await readdir(join(out, 'docs'))).toEqual(['a.md.summary.md'])
    expect(await readFile(join(out, 'docs/a.md.summary.md'), 'utf8')).toBe('Good.\n')
    expect(await readdir(out)).toEqual(['.claude-batch', 'docs'])
  })

  it('keeps an earlier summary when the document fails, and removes the error record after a success', async () => {
    const out = await createFolder({})
    const sink = await opened(out, [source])
    await sink.write(good)
    await sink.write(bad)
    expect((await readdir(join(out, 'docs'))).sort()).toEqual(['a.md.error.txt', 'a.md.summary.md'])
    expect(await readFile(join(out, 'docs/a.md.summary.md'), 'utf8')).toBe('Good.\n')
    await sink.write(good)
    expect(await readdir(join(out, 'docs'))).toEqual(['a.md.summary.md'])
  })

  it('keeps the text that was paid for in the error record', async () => {
    const out = await createFolder({})
    await (await opened(out, [source])).write(bad)
    const record = await readFile(join(out, 'docs/a.md.error.txt'), 'utf8')
    expect(record.split('\n')[0]).toBe('ERROR: 500 api_error: down')
    expect(record).toContain('\nHalf\n')
  })

  it('replaces a link at the summary’s path instead of writing through it', async () => {
    const out = await createFolder({ 'precious.txt': 'mine' })
    await mkdir(join(out, 'docs'))
    await symlink(join(out, 'precious.txt'), join(out, 'docs/a.md.summary.md'))
    await (await opened(out, [source])).write(good)
    expect(await readFile(join(out, 'precious.txt'), 'utf8')).toBe('mine')
    expect(await readFile(join(out, 'docs/a.md.summary.md'), 'utf8')).toBe('Good.\n')
  })

  it('refuses a directory that is a link out of the output folder', async () => {
    const [out, elsewhere] = [await createFolder({}), await createFolder({})]
    await symlink(elsewhere, join(out, 'docs'))
    const sink = await opened(out, [source])
    await expect(sink.write(good)).rejects.toMatchObject({ exit: 'ioError' })
    expect(await readdir(elsewhere)).toEqual([])
  })

  it('reports immediately that the output folder is a file', async () => {
    const folder = await createFolder({ out: 'a file' })
    await expect(opened(join(folder, 'out'), [])).rejects.toMatchObject({ exit: 'usage' })
  })

  it('reports a directory at the path of a summary', async () => {
    const out = await createFolder({ 'docs/a.md.summary.md/x': '' })
    const sink = await opened(out, [source])
    await expect(sink.write(good)).rejects.toMatchObject({
      exit: 'ioError',
      message: expect.stringContaining('directory'),
    })
    expect((await readdir(join(out, 'docs'))).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('gives two documents different names, even if they would collide', async () => {
    const out = await createFolder({})
    const twins: DocumentRef[] = ['/x/a.md', 'x/a.md'].map((path, index) => ({
      index,
      path,
      namedByUser: true,
    }))
    const sink = await opened(out, twins)
    for (const twin of twins) await sink.write({ ...good, document: twin, text: twin.path })
    const names = await readdir(join(out, 'x'))
    const texts = await Promise.all(names.map((name) => readFile(join(out, 'x', name), 'utf8')))
    expect(texts.sort()).toEqual(['/x/a.md\n', 'x/a.md\n'])
  })

  it('accepts names as long as the file system allows', async () => {
    const out = await createFolder({})
    const long = { ...source, path: '長'.repeat(85) }
    await (await opened(out, [long])).write({ ...good, document: long })
    expect((await readdir(out)).filter((name) => name.endsWith('.md'))).toHaveLength(1)
  })
})
