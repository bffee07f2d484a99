import { afterEach, describe, expect, it } from 'vitest'
import { syncFolder } from '../../../src/storage/fs/create-folder.ts'
import { injectFaults } from '../../support/fault-fs.mjs'
import { createFolder } from '../../support/run-cli.ts'
import { has } from '../../support/system.ts'

describe('syncFolder', () => {
  afterEach(() => injectFaults({}))

  it.each(['EPERM', 'EISDIR', 'EACCES', 'EINVAL', 'ENOSYS', 'ENOTSUP'])(
    'accepts that the system cannot open or sync a folder: %s',
    async (code) => {
      const folder = await createFolder({})
      for (const op of ['open', 'sync']) {
        injectFaults({ do: code, op, path: `${folder}$` })
        await expect(syncFolder(folder)).resolves.toBeUndefined()
      }
    },
  )

  it.runIf(has.syncedFolders).each(['EIO', 'ENOSPC', 'ENOENT'])(
    'reports that the folder cannot be saved: %s',
    async (code) => {
      const folder = await createFolder({})
      injectFaults({ do: code, op: 'open|sync', path: `${folder}$` })
      await expect(syncFolder(folder)).rejects.toMatchObject({ exit: 'ioError' })
    },
  )
})
