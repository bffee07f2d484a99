import { execFileSync } from 'node:child_process'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readLines } from '../../../src/storage/fs/read-lines.ts'
import { measureAsyncCpuMs } from '../../support/cpu-time.ts'
import { createFolder } from '../../support/run-cli.ts'
import { has } from '../../support/system.ts'

/** What may be in the place of a file, and how it gets there. */
const obstacles: readonly (readonly [name: string, what: string, put: (file: string) => Promise<void>])[] = [
  ['a link to /dev/zero', 'a symbolic link', (file) => symlink('/dev/zero', file)],
  ['a link to /dev/full', 'a symbolic link', (file) => symlink('/dev/full', file)],
  ['a link to a folder', 'a symbolic link', (file) => symlink('/', file)],
  ['a broken link', 'a symbolic link', (file) => symlink('nowhere', file)],
  ['a pipe', 'not a regular file', async (file) => void execFileSync('mkfifo', [file])],
  ['a folder', 'not a regular file', async (file) => void (await mkdir(file))],
]

describe('readLines', () => {
  const possible = obstacles.filter(([name]) => has.pipes || name !== 'a pipe')
  it.each(possible)('reports %s instead of reading it', async (_, what, put) => {
    const file = join(await createFolder({}), 'ledger.jsonl')
    await put(file)
    await expect(readLines(file).next()).rejects.toMatchObject({
      exit: 'ioError',
      message: `cannot use ${file}: it is ${what}; move it out of the way`,
    })
  })

  it('reads the same lines regardless of chunk boundaries', async () => {
    const long = 'é'.repeat(50_000)
    for (const lines of [[''], ['a'], ['', ''], [long, 'b', ''], ['a', long, long], [long + long, 'x']]) {
      const out = await createFolder({ '.claude-batch/ledger.jsonl': lines.join('\n') })
      const read: string[] = []
      for await (const some of readLines(join(out, '.claude-batch/ledger.jsonl'))) read.push(...some)
      expect(read).toEqual(lines.at(-1) === '' ? lines.slice(0, -1) : lines)
    }
  })

  it('reads a long line in linear time, and rejects one that is far too long', async () => {
    const reading = async (length: number) => {
      const file = join(await createFolder({ '.claude-batch/x': 'x'.repeat(length) }), '.claude-batch/x')
      return async () => {
        for await (const lines of readLines(file)) expect(lines[0]).toHaveLength(length)
      }
    }
    const short = await measureAsyncCpuMs(await reading(1_000_000))
    const long = await measureAsyncCpuMs(await reading(30_000_000))
    // Linear work is 30 times as much, plus a margin for noise; quadratic work would be 900 times as much.
    expect(long).toBeLessThan(150 * Math.max(short, 1))
    await expect((await reading(60_000_000))()).rejects.toThrow('it has a line that is far too long')
  })
})
