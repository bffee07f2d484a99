import { constants } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createFileAccess, type FileAccess } from '../../../src/inputs/read/file-access.ts'
import { createFolder } from '../../support/run-cli.ts'

/** Reads the file. @returns its text, and whether it was read asynchronously */
async function readWith(access: FileAccess, file: string) {
  const opening = access.open(file, constants.O_RDONLY)
  const descriptor = await opening
  const bytes = Buffer.alloc((await access.stat(descriptor)).size)
  await access.read(descriptor, bytes, null)
  await access.close(descriptor)
  return { text: bytes.toString(), isAsync: opening instanceof Promise }
}

it('reads files synchronously, and 64 asynchronously after a slow one', async () => {
  const file = join(await createFolder({ note: 'A note.' }), 'note')
  let [now, slowness] = [0, 1]
  const withAccess = createFileAccess(() => (now += slowness))
  const read = () => withAccess((access) => readWith(access, file))
  expect(await read()).toEqual({ text: 'A note.', isAsync: false })
  slowness = 30
  expect(await read()).toMatchObject({ isAsync: false })
  slowness = 1
  for (let n = 0; n < 64; n++) expect(await read()).toEqual({ text: 'A note.', isAsync: true })
  expect(await read()).toMatchObject({ isAsync: false })
})

it('rejects with the errors of the system in both ways', async () => {
  const file = join(await createFolder({}), 'missing')
  let now = 0
  const withAccess = createFileAccess(() => (now += 30))
  for (let n = 0; n < 2; n++)
    await expect(withAccess((access) => readWith(access, file))).rejects.toMatchObject({ code: 'ENOENT' })
})
