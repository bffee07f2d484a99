import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { storedColumns, textSeparator } from '../src/fixed-text.ts'
import { bin, createFolder, runCli } from './support/run-cli.ts'
import { runInProcess } from './support/run-in-process.ts'

const root = resolve(import.meta.dirname, '..')

describe('the stored help', () => {
  it('is what the program would print, for a terminal of any width', async () => {
    const texts = (await readFile(join(root, 'dist/help.txt'), 'utf8')).split(textSeparator)
    for (const [n, text] of texts.entries()) {
      const columns = storedColumns.min + n
      expect(text).toBe((await runInProcess(['--help'], { cwd: '/', columns })).stdout)
    }
    expect(texts).toHaveLength(storedColumns.max - storedColumns.min + 1)
  })

  it.each([['--help'], ['-h'], ['help']])('is printed for %s', async (word) => {
    const { code, stdout, stderr } = await runCli([word], { cwd: await createFolder({}) })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toBe((await runInProcess([word], { cwd: '/' })).stdout)
  })

  it('names the options of each command, and the help of a group those of its subcommands', async () => {
    const { stdout } = await runInProcess(['--help'], { cwd: '/' })
    expect(stdout).toContain('\n  summarize [options] [inputs...] ')
    expect((await runInProcess(['batches', '--help'], { cwd: '/' })).stdout).toContain(
      '\n  collect [options] [dir] ',
    )
  })
})

describe('the version', () => {
  it.each([['--version'], ['-V']])('is printed for %s', async (word) => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const { code, stdout, stderr } = await runCli([word], { cwd: await createFolder({}) })
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })
})

describe('a fixed text on a stdout that cannot be written to', () => {
  it.each([['--help'], ['--version']])('ends %s as any other command', async (word) => {
    const cwd = await createFolder({})
    // A pipe without a reader.
    const script = 'mkfifo pipe; exec 3<>pipe 4>pipe 3>&-; exec "$@" >&4 4>&-'
    const closed = spawnSync('bash', ['-c', script, '-', process.execPath, bin, word], { cwd })
    expect([closed.status, String(closed.stderr)]).toEqual([141, ''])
    const full = openSync('/dev/full', 'w')
    const { status, stderr } = spawnSync(process.execPath, [bin, word], { stdio: ['ignore', full, 'pipe'] })
    closeSync(full)
    expect([status, String(stderr)]).toEqual([
      6,
      'claude-batch: cannot write to stdout: no space left on the device (make room first)\n',
    ])
  })
})
