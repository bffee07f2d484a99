import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { createFileOpener } from '../../../src/inputs/read/open-file.ts'
import { createFolder } from '../../support/run-cli.ts'

/** Reads a file to its end. @returns its text, and whether the calls were synchronous. */
async function readAll(openFile: ReturnType<typeof createFileOpener>, file: string) {
  const opened = await openFile(file)
  const buffer = Buffer.alloc(100)
  const first = opened.read(buffer, 0, 100)
  const length = await first
  expect(await opened.read(buffer, length, 100 - length)).toBe(0)
  await opened.close()
  return { text: buffer.toString('utf8', 0, length), isSync: typeof first === 'number' }
}

describe('a file opener', () => {
  it('reads synchronously from a fast disk, and asynchronously after a slow call until it tries again', async () => {
    const cwd = await createFolder({ 'a.md': 'a text' })
    const file = join(cwd, 'a.md')
    const openFile = createFileOpener()
    expect(await readAll(openFile, file)).toEqual({ text: 'a text', isSync: true })
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 10))
    try {
      await readAll(openFile, file)
    } finally {
      clock.mockRestore()
    }
    const later = []
    for (let n = 0; n < 201; n++) later.push((await readAll(openFile, file)).isSync)
    expect(later).toEqual([...Array(200).fill(false), true])
  })

  it('handles timers and signals, however many files are read', async () => {
    const cwd = await createFolder({ 'a.md': 'a text' })
    const openFile = createFileOpener()
    let hasFired = false
    setImmediate(() => {
      hasFired = true
    })
    for (let n = 0; n < 100; n++) await readAll(openFile, join(cwd, 'a.md'))
    expect(hasFired).toBe(true)
  })

  it('opens a pipe without waiting for its writer, and a folder so that it can be refused', async () => {
    const cwd = await createFolder({})
    execFileSync('mkfifo', [join(cwd, 'pipe')])
    mkdirSync(join(cwd, 'folder'))
    for (const [name, isPipe] of [
      ['pipe', true],
      ['folder', false],
    ] as const) {
      const opened = await createFileOpener()(join(cwd, name))
      const stats = await opened.stat()
      expect([stats.isFIFO(), stats.isDirectory()]).toEqual([isPipe, !isPipe])
      await opened.close()
    }
  })

  it('throws the error of the system for a missing file', async () => {
    await expect(createFileOpener()('/nowhere/a.md')).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
