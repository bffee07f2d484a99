import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isOutputOf } from '../../../src/core/document/output-path.ts'
import { chooseOwners } from '../../../src/storage/merge/choose-owners.ts'
import { createSharedHistory, readFolderHistory } from '../../../src/storage/merge/folder-history.ts'
import { placeResults } from '../../../src/storage/merge/place-results.ts'
import { createEntry, createRun, readFolder, writeOutputFolder } from '../../support/merged-folders.ts'
import { createFolder } from '../../support/run-cli.ts'

it('gives documents that differ only in case different files, where the file system ignores it', async () => {
  const cwd = await createFolder({})
  const [start, end] = createRun('r1', 0)
  const names = ['a.md', 'A.md', 'B.md']
  for (const name of names)
    await writeOutputFolder(join(cwd, `of-${name}`), [start, createEntry(name, `${name}\n`, 1), end], {
      [`${name}.summary.md`]: `${name}\n`,
    })
  const shared = createSharedHistory(cwd)
  await mkdir(join(cwd, 'all/.claude-batch'), { recursive: true })
  const target = await readFolderHistory('all', join(cwd, 'all'), shared)
  const sources = await Promise.all(
    names.map((name) => readFolderHistory(name, join(cwd, `of-${name}`), shared)),
  )
  const folders = [target, ...sources] as const
  const { outputs } = await placeResults({
    folders,
    owners: await chooseOwners(folders, shared),
    foldsCase: true,
    nonce: '0123456789ab',
    signal: new AbortController().signal,
    onPlaced() {},
  })
  const files = await readFolder(join(cwd, 'all'))
  expect(Object.values(files).sort()).toEqual(names.map((name) => `${name}\n`).sort())
  expect(new Set(Object.keys(files).map((name) => name.toLowerCase())).size).toBe(3)
  for (const [id, { path }] of outputs) {
    const document = id.split(' ').at(-1) ?? ''
    expect([path, isOutputOf(path, document, cwd)]).toEqual([path, true])
    expect(files[path]).toBe(`${document}\n`)
  }
})
