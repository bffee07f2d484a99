import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createCompoundFile } from '../../../support/compound.ts'
import { readAs, readFixture } from '../../../support/read-as.ts'

const fixture = await readFile(resolve(import.meta.dirname, '../../../../fixtures/kinds/doc-features.doc'))

/** Returns the beginning of a Word document with a magic number and flags. */
const word = (magic: number, flags = 0) => {
  const main = Buffer.alloc(2048)
  main.writeUInt16LE(magic, 0)
  main.writeUInt16LE(flags, 0x0a)
  return createCompoundFile({ WordDocument: main, '0Table': Buffer.alloc(512) })
}

describe('a Word 97 document', () => {
  it('is read with headings, tables, fields, notes, headers and footers, without what is not shown', async () => {
    expect(await readFixture('doc-features.doc')).toBe(`Harbour Board of Norvik

# Ferry delays

The ferry was late^[1] by 12 minutes. new words

Grüße, привет, καλή, 日本語, €, 日本, α and 😀.

See the timetable.

## Causes

Ice on the slipway

A broken gate

and fog

Route | Minutes | Cause
Norvik – Østhavn | 12, by ice
Lille | 4, 5 | fog
 | 6 | gate

After the table.

1. Measured at the pier.

Page 1 of the minutes`)
  })

  it('is read under any name', async () => {
    for (const name of ['x.docx', 'x.dot', 'x.txt', 'x.pdf', 'x'])
      expect(await readAs(name, fixture)).toContain('Ferry delays')
  })

  it('is encrypted if it has a password', async () => {
    expect(await readAs('x.doc', word(0xa5ec, 0x100))).toBe('encrypted: it is protected by a password')
  })

  it('is a failure with advice if it is older', async () => {
    expect(await readAs('x.doc', word(0xa5dc))).toMatch(
      /^too_old: it is a file of Word 95 or older; convert it/,
    )
    const word2 = Buffer.concat([Buffer.from('dba52d000000', 'hex'), Buffer.alloc(600)])
    expect(await readAs('x.doc', word2)).toMatch(
      /^not_a_word_97_document: .*a file of Word 2 or older; convert it/,
    )
  })

  it('is a failure if it is cut off', async () => {
    for (const share of [0.3, 0.6, 0.9])
      expect(await readAs('x.doc', fixture.subarray(0, share * fixture.length))).toMatch(
        /^malformed: (?:it is damaged|the file is incomplete)/,
      )
  })

  it('is read or fails with a reason, if it is damaged at any place or cut off', async () => {
    const types = new Set<string>()
    for (let at = 0; at < fixture.length - 13; at += 97) {
      const damaged = Buffer.from(fixture).fill(0xff, at, at + 13)
      for (const bytes of [damaged, fixture.subarray(0, at + 20)]) {
        const type = /^([a-z0-9_]+): /.exec(await readAs('x.doc', bytes))?.[1]
        if (type !== undefined) types.add(type)
      }
    }
    expect(types).toContain('malformed')
    const expected = ['encrypted', 'malformed', 'not_a_word_97_document', 'too_large', 'too_old']
    expect([...types].filter((type) => !expected.includes(type))).toEqual([])
  })
})

describe('a file called .doc', () => {
  it.each<[string, string | Buffer, string]>([
    ['RTF', '{\\rtf1 Hello}', 'Hello'],
    ['HTML', '<html><body><p>Hello</body></html>', 'Hello'],
    [
      'a web archive',
      'MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x\nContent-Type: text/html\n\n<p>Hello\n--x--',
      'Hello',
    ],
  ])('is read as what it is: %s', async (_name, content, expected) => {
    expect(await readAs('x.doc', content)).toBe(expected)
  })

  it.each<[string, string | Buffer, RegExp]>([
    [
      'another old Office file',
      createCompoundFile({ Workbook: Buffer.alloc(9) }),
      /not_a_word_97_document: .*old Office/,
    ],
    ['WordPerfect', Buffer.from('\xffWPC\0\0', 'latin1'), /a WordPerfect document; convert it/],
    [
      'XML',
      '<?xml version="1.0"?>\n<?mso-application progid="Word.Document"?><w:wordDocument/>',
      /a Word document in XML; convert it/,
    ],
    ['an image', Buffer.from('89504e470d0a1a0a0000', 'hex'), /a PNG image/],
    [
      'a compound file without a directory',
      Buffer.from(`d0cf11e0a1b11ae1${'00'.repeat(2000)}`, 'hex'),
      /^malformed/,
    ],
  ])('is a failure if it is something else: %s', async (_name, content, expected) => {
    expect(await readAs('x.doc', content)).toMatch(expected)
  })
})
