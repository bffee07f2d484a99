import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Request } from '../../src/core/request/request.ts'
import { createChunkCache } from '../../src/storage/chunk-cache-file.ts'
import { createFolder } from '../support/run-cli.ts'

const part = { type: 'chunk', request_hash: 'key', path: 'a.md', text: 'Notes.', model: 'm' }
const request = { hash: 'key', path: 'a.md' } as Request

async function storeWith(...lines: readonly object[]) {
  const content = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  const out = await createFolder({ '.claude-batch/chunk-cache.jsonl': content })
  return {
    file: join(out, '.claude-batch/chunk-cache.jsonl'),
    store: createChunkCache(out, 'nonce', { async add() {} }),
  }
}

describe('the chunk cache file', () => {
  it('is read by the next run', async () => {
    const { store } = await storeWith(part)
    expect(await store.get(request)).toMatchObject({ text: 'Notes.' })
    await store.close()
  })

  it('stays private to its owner when it is rewritten without superseded lines', async () => {
    const { store, file } = await storeWith(
      ...Array.from({ length: 200 }, () => ({ ...part, text: 'x'.repeat(10_000) })),
      part,
    )
    await store.get(request)
    await store.close()
    expect(await readFile(file, 'utf8')).toBe(`${JSON.stringify(part)}\n`)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it.each([
    ['an invalid text', { ...part, text: { toString: 5 } }],
    [
      'an invalid list of chunks',
      { type: 'document_done', path: 'a.md', complete: true, request_hashes: [5] },
    ],
  ])('is read without a line that has %s', async (_, line) => {
    const { store, file } = await storeWith(line)
    expect(await store.get(request)).toBeUndefined()
    await store.close()
    await writeFile(file, '')
  })
})
