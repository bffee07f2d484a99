import { execFileSync } from 'node:child_process'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readLines } from '../../src/sinks/lines.ts'
import { folderWith } from '../support/run-cli.ts'

describe('readLines', () => {
  it.each([
    ['/dev/zero', (file: string) => symlink('/dev/zero', file)],
    ['/dev/full', (file: string) => symlink('/dev/full', file)],
    ['a pipe', async (file: string) => void execFileSync('mkfifo', [file])],
    ['a folder', (file: string) => symlink('/', file)],
  ])('does not read %s for ever, but says what is there', async (_, put) => {
    const file = join(await folderWith({}), 'ledger.jsonl')
    await put(file)
    await expect(readLines(file).next()).rejects.toMatchObject({
      exit: 'io',
      message: `cannot read ${file}: not a regular file; move it out of the way`,
    })
  })
})
