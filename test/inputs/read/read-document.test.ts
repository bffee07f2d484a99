import { execFileSync } from 'node:child_process'
import { truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { DocumentRef } from '../../../src/core/document/document.ts'
import { createDocumentReader } from '../../../src/inputs/read/read-document.ts'
import { countTurns } from '../../support/event-loop-turns.ts'
import { createFolder } from '../../support/run-cli.ts'
import { has } from '../../support/system.ts'

const noStdin = Readable.from([])
const read = createDocumentReader({ cwd: '/', stdin: noStdin })
const source = (path: string, namedByUser = false): DocumentRef => ({ index: 0, path, namedByUser })
const reading = async (content: string | Buffer, named = false) => {
  const folder = await createFolder({ 'f.md': content })
  return read(source(join(folder, 'f.md'), named))
}

describe('createDocumentReader', () => {
  it('reads long documents in separate turns, so that requests are sent in between', async () => {
    const names = Array.from({ length: 6 }, (_, n) => `${n}.md`)
    const text = 'The gate holds.\n'.repeat(200_000)
    const cwd = await createFolder(Object.fromEntries(names.map((name) => [name, text])))
    const readOne = createDocumentReader({ cwd, stdin: noStdin })
    const getTurn = countTurns()
    const turns = await Promise.all(
      names.map(async (path) => {
        await readOne(source(path))
        return getTurn()
      }),
    )
    expect(new Set(turns).size).toBe(names.length)
  })

  it.each<[string, string | Buffer, string]>([
    ['UTF-8', 'héllo', 'héllo'],
    ['UTF-8 with a byte-order mark', '\ufeffhéllo', 'héllo'],
    ['CRLF line ends', 'a\r\n\r\nb\r', 'a\n\nb\r'],
    ['UTF-16LE with a byte-order mark', Buffer.from('\ufeffhéllo', 'utf16le'), 'héllo'],
    ['UTF-16BE with a byte-order mark', Buffer.from('\ufeffhéllo', 'utf16le').swap16(), 'héllo'],
  ])('reads %s', async (_name, content, text) => {
    expect(await reading(content)).toMatchObject({ text })
  })

  it.each<[string, string | Buffer, boolean, string, string]>([
    ['an empty file in a folder', '', false, 'skip', 'empty'],
    ['an empty file that was named', '', true, 'fail', 'empty'],
    ['only white space and a byte-order mark', '\ufeff \n\t', false, 'skip', 'empty'],
    ['a picture in a folder', Buffer.from([0x89, 0x50, 0, 0]), false, 'skip', 'binary'],
    ['a picture that was named', Buffer.from([0x89, 0x50, 0, 0]), true, 'fail', 'binary'],
    ['Latin-1 text', Buffer.from([0x61, 0xe9, 0x62]), false, 'fail', 'not_utf8'],
    ['UTF-32', Buffer.from('\ufeff\0a\0b\0', 'utf16le'), false, 'fail', 'not_utf16'],
    ['incomplete UTF-16', Buffer.from([0xff, 0xfe, 0x00]), false, 'fail', 'not_utf16'],
  ])('reports %s', async (_name, content, named, action, type) => {
    expect(await reading(content, named)).toMatchObject({ action, type })
  })

  it('reports at which byte the text stops being UTF-8', async () => {
    const content = Buffer.concat([Buffer.from('ééé abc'), Buffer.from([0xe9]), Buffer.from('def')])
    expect(await reading(content)).toMatchObject({ message: expect.stringContaining('from byte 10 on') })
  })

  it('refuses a file that is too large for any model without reading it', async () => {
    const folder = await createFolder({ big: '' })
    await truncate(join(folder, 'big'), 1e12)
    expect(await read(source(join(folder, 'big')))).toMatchObject({
      action: 'fail',
      type: 'too_large',
    })
  })

  it('names what a large file is if no reader takes its format', async () => {
    const video = Buffer.concat([Buffer.from('\0\0\0\x18ftypisom'), Buffer.alloc(11_000_000)])
    const folder = await createFolder({ 'x.mp4': video })
    expect(await read(source(join(folder, 'x.mp4'), true))).toMatchObject({
      action: 'fail',
      message: expect.stringContaining('a video'),
    })
  })

  it('reads notebooks and mails that are large because of images', async () => {
    const image = 'iVBORw0KGgoA'.repeat(1_000_000)
    const cell = { cell_type: 'markdown', source: `Figure: ![x](data:image/png;base64,${image})` }
    const folder = await createFolder({
      'x.ipynb': JSON.stringify({ cells: [cell] }),
      'x.eml': `Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHi\n--b\nContent-Type: image/png; name=x.png\nContent-Transfer-Encoding: base64\n\n${image}\n--b--\n`,
    })
    expect(await read(source(join(folder, 'x.ipynb')))).toMatchObject({ text: 'Figure: ![x]([image])' })
    expect(await read(source(join(folder, 'x.eml')))).toMatchObject({
      text: 'Subject: x\nAttachments: x.png (image/png)\n\nHi',
    })
  })

  it('stops reading stdin beyond the limit', async () => {
    const endless = Readable.from(
      (function* () {
        while (true) yield Buffer.alloc(1_000_000, 'x')
      })(),
    )
    expect(await createDocumentReader({ cwd: '/', stdin: endless })(source('-'))).toMatchObject({
      type: 'too_large',
    })
  })

  it('reports a file that is gone, and one whose name is not UTF-8', async () => {
    expect(await read(source('/nowhere/f.md'))).toMatchObject({
      action: 'fail',
      type: 'vanished',
    })
    const misnamed = { ...source('/nowhere/\ufffd.md'), path: '\ufffd.md' }
    expect(await read(misnamed)).toMatchObject({ type: 'bad_name' })
  })

  it.runIf(has.pipes)('does not block on pipes, not even on eight of them', async () => {
    const folder = await createFolder({})
    const pipes = Array.from({ length: 8 }, (_, n) => join(folder, `pipe${n}`))
    execFileSync('mkfifo', pipes)
    const problems = await Promise.all(pipes.map((pipe) => read(source(pipe))))
    expect(problems.every((problem) => 'type' in problem && problem.type === 'not_a_file')).toBe(true)
  })

  it.runIf(has.proc)('reads files with a reported size of 0', async () => {
    expect(await read(source('/proc/version'))).toMatchObject({
      text: expect.stringContaining('Linux'),
    })
  })
})
