import { link, readdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { closeFile, writeWhole } from '../../../src/storage/fs/descriptor.ts'
import {
  createFile,
  emptyFile,
  linkFileIfAbsent,
  moveFile,
  removeFile,
} from '../../../src/storage/fs/no-follow-fs.ts'
import { injectFaults } from '../../support/fault-fs.mjs'
import { createFolder } from '../../support/run-cli.ts'

afterEach(() => injectFaults({}))

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
    expect(() => createFile(root, file, 0o600)).toThrow(expect.objectContaining({ code: 'EEXIST' }))
    expect(await readFile(what === 'a file' ? file : other, 'utf8')).toBe('precious')
    await expect(readFile(join(root, 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('creates a file if the path is free', async () => {
    const root = await createFolder({})
    const descriptor = createFile(root, join(root, 'new'), 0o600)
    writeWhole(descriptor, 'text')
    closeFile(descriptor)
    expect(await readFile(join(root, 'new'), 'utf8')).toBe('text')
  })
})

describe('linkFileIfAbsent', () => {
  it.each(['EISDIR', 'EPERM', 'ENOTSUP', 'ENOSYS', 'EACCES', 'EMLINK', 'EXDEV', 'UNKNOWN'])(
    'copies the file if the file system has no hard links: %s',
    async (code) => {
      const root = await createFolder({ draft: 'text' })
      injectFaults({ do: code, op: 'link', times: 1e9 })
      expect(await linkFileIfAbsent(root, join(root, 'draft'), join(root, 'lock'))).toBe(true)
      expect(await readFile(join(root, 'lock'), 'utf8')).toBe('text')
      expect(await linkFileIfAbsent(root, join(root, 'draft'), join(root, 'lock'))).toBe(false)
    },
  )

  it('reports why the file cannot be created', async () => {
    const root = await createFolder({ draft: 'text' })
    injectFaults({ do: 'ENOSPC', op: 'link|copyFile', times: 1e9 })
    await expect(linkFileIfAbsent(root, join(root, 'draft'), join(root, 'lock'))).rejects.toMatchObject({
      code: 'ENOSPC',
    })
  })
})

describe('a file that a virus scanner has open', () => {
  it.each([
    ['rename', (root: string) => moveFile(root, join(root, 'a'), join(root, 'b'))],
    ['unlink', (root: string) => removeFile(root, join(root, 'a'))],
    ['link|copyFile', (root: string) => linkFileIfAbsent(root, join(root, 'a'), join(root, 'b'))],
  ])('is waited for: %s', async (op, work) => {
    for (const code of ['EPERM', 'EACCES', 'EBUSY']) {
      const root = await createFolder({ a: 'text' })
      injectFaults({ do: code, op, times: 4 })
      await work(root)
      expect(await readdir(root)).not.toEqual(['a'])
    }
  })
})

describe('emptyFile', () => {
  it('empties a file, ignores a missing one, and does not follow a link', async () => {
    const root = await createFolder({ journal: 'text', precious: 'text' })
    await emptyFile(root, join(root, 'journal'))
    expect(await readFile(join(root, 'journal'), 'utf8')).toBe('')
    await emptyFile(root, join(root, 'missing'))
    await symlink('precious', join(root, 'link'))
    await expect(emptyFile(root, join(root, 'link'))).rejects.toMatchObject({ exit: 'ioError' })
    expect(await readFile(join(root, 'precious'), 'utf8')).toBe('text')
    expect((await readdir(root)).sort()).toEqual(['journal', 'link', 'precious'])
  })
})
