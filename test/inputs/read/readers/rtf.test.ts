import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readAs, readFixture } from '../../../support/read-as.ts'

const fixture = (name: string) => resolve(import.meta.dirname, '../../../../fixtures/kinds', name)
const incomplete = 'malformed: the file is incomplete; download or copy it again'

const rtf = (content: string) =>
  readAs('x.rtf', Buffer.from(`{\\rtf1\\ansi\\ansicpg1252 ${content}}`, 'latin1'))

describe('an RTF file', () => {
  it('is read with headings, lists, tables, notes, headers and footers, without what is not shown', async () => {
    expect(await readFixture('rtf-features.rtf')).toBe(`Harbour Board of Norvik

# Ferry delays

The ferry was late^[1] by 12 minutes. new words

Grüße, привет, καλή, 日本語, €, 日本, α and 😀.

See the timetable.

## Causes

1. Ice on the slipway
2. A broken gate
- and fog

Route | Minutes | Cause
Norvik – Østhavn | 12, by ice
Lille | 4, 5 | fog
 | 6 | gate

After the table.

1. Measured at the pier.

Page 1 of the minutes`)
  })

  it.each<[string, string, string]>([
    ['a name that another program gave to a character', "caf\\'e9", 'café'],
    ['a character without replacement', '\\uc0 \\u8211 x', '–x'],
    ['a replacement of several bytes', "\\uc2 \\u26085\\'93\\'fax", '日x'],
    ['a replacement that is a control word', '\\u8220\\ldblquote x', '“x'],
    ['characters without replacements, one after the other', '\\u1055\\u1088', 'Пр'],
    ['escaped braces', 'a \\{b\\} \\\\c', 'a {b} \\c'],
    ['special characters', '\\emdash\\lquote x\\rquote\\~y\\_z\\-w', '—‘x’\u00a0y-zw'],
    ['line breaks in the file', 'wo\r\nrd', 'word'],
    ['an escaped line break', 'a\\\nb', 'a\n\nb'],
    ['binary data', 'a{\\pict\\bin5 }}}}}}b', 'ab'],
    ['an object with its result', 'a{\\object{\\*\\objdata 0102}{\\result b}}c', 'abc'],
    ['a comment', 'a{\\*\\atnid x}{\\*\\annotation note}b', 'ab'],
    ['an index entry', 'a{\\xe Entry}b', 'ab'],
    ['two versions of a text', 'a{\\upr{x}{\\*\\ud{\\u26085?}}}b', 'a日b'],
    ['hidden text that ends', 'a{\\v b}\\v c\\v0 d\\plain e', 'ade'],
    ['a group that only a later program knows', 'a{\\*\\later b{c}}d', 'ad'],
    [
      'a text box',
      'a{\\shp{\\*\\shpinst{\\sp{\\sn n}{\\sv v}}{\\shptxt Box\\par}}{\\shprslt old}}b\\par',
      'ab\n\nBox',
    ],
    ['a symbol without a result', 'a{\\field{\\*\\fldinst SYMBOL 97 \\\\f Symbol}{\\fldrslt\\f1 }}', 'aα'],
    [
      'a field in the code of another',
      'a{\\field{\\*\\fldinst IF {\\field{\\*\\fldinst X}{\\fldrslt y}}}{\\fldrslt b}}',
      'ab',
    ],
    [
      'a box that is checked',
      '{\\field{\\*\\fldinst FORMCHECKBOX {\\*\\formfield{\\fftype1\\ffres1}}}{\\fldrslt }}Yes',
      '[x] Yes',
    ],
    [
      'a box that is not checked',
      '{\\field{\\*\\fldinst FORMCHECKBOX {\\*\\formfield{\\ffres25\\ffdefres0}}}}No',
      '[ ] No',
    ],
    [
      'a choice',
      '{\\field{\\*\\fldinst FORMDROPDOWN {\\*\\formfield{\\ffres1{\\*\\ffl red}{\\*\\ffl blue}}}}{\\fldrslt }}!',
      'blue !',
    ],
    ['an equation', 'x={\\mmath{\\*\\moMath{\\mf{\\mnum{\\mr 1}}{\\mden{\\mr 2}}}}}', 'x=1/2'],
    ['a superscript', 'x{\\super 2}', 'x^2'],
    ['closing braces that are too many', 'a}}} b', 'a b'],
    ['a brace that is missing at the end', 'a{b}c{d', 'abcd'],
    ['old pages of DOS', "{\\fonttbl{\\f1\\fcharset255 Terminal;}}\\f1 \\'81\\'e1", 'üß'],
    ['Korean', "{\\fonttbl{\\f1\\fcharset129 Batang;}}\\f1 \\'c7\\'d1", '한'],
    ['a second byte that is a letter', "{\\fonttbl{\\f1\\fcharset128 Mincho;}}\\f1 \\'83A\\'83\\'43", 'アイ'],
    ['a font that names its code page', "{\\fonttbl{\\f1\\cpg1251 Arial;}}\\f1 \\'e4\\'e0", 'да'],
  ])('is read: %s', async (_name, content, expected) => {
    expect(await rtf(content)).toBe(expected)
  })

  it('is read after a byte-order mark', async () => {
    expect(await readAs('x.rtf', '\ufeff{\\rtf1 Hello}')).toBe('Hello')
  })

  it('is a failure if it is cut off, in its text or before', async () => {
    const bytes = await readFile(fixture('rtf-features.rtf'))
    for (const share of [0.02, 0.1, 0.3, 0.5, 0.9])
      expect(await readAs('x.rtf', bytes.subarray(0, share * bytes.length))).toBe(incomplete)
    expect(await rtf('{\\*\\unknown {{')).toBe(incomplete)
  })

  it('has cells under their headings, although each row defines its cells', async () => {
    const row = (edges: readonly number[], ...cells: readonly string[]) =>
      `\\trowd${edges.map((edge) => `\\cellx${edge}`).join('')}\\pard\\intbl ${cells.map((cell) => `${cell}\\cell `).join('')}\\row `
    expect(
      await rtf(
        row([1000, 2000, 3000], 'A', 'B', 'C') +
          row([1000, 3000], 'a', 'both') +
          row([2000, 3010], 'wide', 'c') +
          row([990, 2005, 3000], '1', '', '3'),
      ),
    ).toBe('A | B | C\na | both\nwide |  | c\n1 |  | 3')
  })

  it('has rows although its paragraphs are not marked as parts of a table', async () => {
    expect(await rtf('\\trowd\\cellx1000\\cellx2000\\pard a\\par b\\cell c\\cell\\row\\pard d')).toBe(
      'a b | c\n\nd',
    )
  })

  it('is read as the HTML or text that Outlook has put into it', async () => {
    const html =
      '\\fromhtml1{\\*\\htmltag64 <p>}\\htmlrtf {\\htmlrtf0 Hello {\\*\\htmltag84 <b>}\\htmlrtf {\\b\\htmlrtf0 all}{\\*\\htmltag92 </b>}\\htmlrtf\\par}\\htmlrtf0 {\\*\\htmltag72 </p><ul><li>one</li></ul>}'
    expect(await rtf(html)).toBe('Hello all\n\n- one')
    expect(await rtf('\\fromtext Dear all,\\par\\tab come.\\par')).toBe('Dear all,\n\tcome.')
  })

  it('is read under any name', async () => {
    for (const name of ['x.doc', 'x.docx', 'x.txt', 'x'])
      expect(await readAs(name, '{\\rtf1 Hello}')).toBe('Hello')
  })
})
