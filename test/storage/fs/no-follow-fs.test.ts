import { link, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFile } from '../../../src/storage/fs/no-follow-fs.ts'
import { createFolder } from '../../support/run-cli.ts'

describe('createFile', () => {
  it.each([
    ['a file', async () => {}],
    ['a hard link to a file elsewhere', (file: string, other: string) => link(other, file)],
    ['a symbolic link to a file elsewhere', (file: string, other: string) => symlink(other, file)],
    ['a broken symbolic link', (file: string) => symlink('nowhere', file)],
  ])('refuses the path of %s and does not change it', async (what, put) => {
    const root = await createFolder(what === 'a file' ? { '.temporary': 'precious' } : {})
    const elsewhere = await createFolder({ other: 'precious' })
    const [file, other] = [join(root, '.temporary'), join(elsewhere, 'other')]
    await put(file, other)
    await expect(createFile(root, file, 0o600)).rejects.toMatchObject({ code: 'EEXIST' })
    expect(await readFile(what === 'a file' ? file : other, 'utf8')).toBe('precious')
    await expect(readFile(join(root, 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('creates a file if the path is free', async () => {
    const root = await createFolder({})
    const handle = await createFile(root, join(root, 'new'), 0o600)
    await handle.writeFile('text')
    await handle.close()
    expect(await readFile(join(root, 'new'), 'utf8')).toBe('text')
  })
})
