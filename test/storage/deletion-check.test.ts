import type { Stats } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createDeletionCheck } from '../../src/storage/deletion-check.ts'
import { createFolder } from '../support/run-cli.ts'

describe('createDeletionCheck', () => {
  it('ignores existing documents on another file system', async () => {
    const media = await createFolder({ 'one/x.md': '', 'two/y.md': '', 'three/z.md': '' })
    const [x, y] = [join(media, 'one/x.md'), join(media, 'two/y.md')]
    await rm(join(media, 'one'), { recursive: true })
    const stats = await stat(y)
    const deleted = createDeletionCheck()
    deleted.recordExisting(y, { ...stats, dev: stats.dev + 1 } as Stats)
    expect(await deleted.findMissingFolder(x, undefined)).toBe(join(media, 'one'))
    deleted.recordExisting(join(media, 'three/z.md'), stats)
    expect(await deleted.findMissingFolder(x, undefined)).toBeUndefined()
  })

  it('ignores existing documents outside the named folder', async () => {
    const cwd = await createFolder({ 'docs/x.md': '', 'notes/y.md': '' })
    const deleted = createDeletionCheck()
    deleted.recordExisting(join(cwd, 'notes/y.md'), await stat(join(cwd, 'notes/y.md')))
    await rm(join(cwd, 'docs'), { recursive: true })
    expect(await deleted.findMissingFolder(join(cwd, 'docs/x.md'), join(cwd, 'docs'))).toBe(join(cwd, 'docs'))
    expect(await deleted.findMissingFolder(join(cwd, 'docs/x.md'), cwd)).toBeUndefined()
  })
})
