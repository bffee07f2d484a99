import { execFileSync } from 'node:child_process'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readLines } from '../../src/sinks/lines.ts'
import { folderWith } from '../support/run-cli.ts'

describe('readLines', () => {
  it.each([
    ['a link to /dev/zero', 'a symbolic link', (file: string) => symlink('/dev/zero', file)],
    ['a link to /dev/full', 'a symbolic link', (file: string) => symlink('/dev/full', file)],
    ['a link to a folder', 'a symbolic link', (file: string) => symlink('/', file)],
    ['a link that leads nowhere', 'a symbolic link', (file: string) => symlink('nowhere', file)],
    ['a pipe', 'not a regular file', async (file: string) => void execFileSync('mkfifo', [file])],
    ['a folder', 'not a regular file', async (file: string) => void (await mkdir(file))],
  ])('does not read %s for ever, but says what is there', async (_, what, put) => {
    const file = join(await folderWith({}), 'ledger.jsonl')
    await put(file)
    await expect(readLines(file).next()).rejects.toMatchObject({
      exit: 'io',
      message: `cannot use ${file}: it is ${what}; move it out of the way`,
    })
  })
})
