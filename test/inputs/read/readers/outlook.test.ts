import { describe, expect, it } from 'vitest'
import { createCompoundFile } from '../../../support/compound.ts'
import { createOutlookFile, type OutlookContent } from '../../../support/outlook.ts'
import { readAs } from '../../../support/read-as.ts'

const read = (content: OutlookContent) => readAs('x.msg', createOutlookFile(content))

/** RTF in the form in which Outlook stores it without compression. */
const store = (rtf: string) => {
  const header = Buffer.alloc(16)
  header.writeUInt32LE(rtf.length + 12, 0)
  header.writeUInt32LE(rtf.length, 4)
  header.write('MELA', 8)
  return Buffer.concat([header, Buffer.from(rtf, 'latin1')])
}

describe('an Outlook message', () => {
  it('has subject, sender, recipients, date, body, and the texts and messages attached to it', async () => {
    const text = await read({
      properties: {
        '0037': 'Ferry delays',
        '0C1A': 'Ann',
        '5D01': 'ann@example.org',
        '0039': new Date('2026-03-01T10:00:00Z'),
        1000: 'The ferry was late.\r\n',
      },
      recipients: [
        { '3001': 'Bo', '39FE': 'bo@example.org', '0C15': 1 },
        { '3001': "'cy@example.org'", '39FE': 'cy@example.org', '0C15': 2 },
        { '3001': 'Secret', '0C15': 3 },
      ],
      attachments: [
        { '3707': 'notes.txt', '3701': Buffer.from('12 minutes') },
        { '3707': 'gate.png', '370E': 'image/png', '3701': Buffer.from([1, 2, 3]) },
        { message: { properties: { '0037': 'Inner', 1000: 'Ice.' } } },
      ],
    })
    expect(text).toBe(`Subject: Ferry delays
From: Ann <ann@example.org>
To: Bo <bo@example.org>
Cc: cy@example.org
Date: 2026-03-01T10:00:00.000Z
Attachments: notes.txt (application/octet-stream), gate.png (image/png)

The ferry was late.

## Attachment: notes.txt

12 minutes

## Attached message: Inner

Subject: Inner

Ice.`)
  })

  it('has the text of its HTML if that is longer', async () => {
    const html = Buffer.from('<p>A <b>long</b> text about ferries</p>')
    expect(await read({ properties: { '0037': 'S', 1000: 'A', 1013: html } })).toBe(
      'Subject: S\n\nA long text about ferries',
    )
  })

  it('has the HTML that is packed into RTF', async () => {
    const rtf =
      '{\\rtf1\\ansi\\fromhtml1 {\\*\\htmltag64 <p>}\\htmlrtf {\\htmlrtf0 Hello\\htmlrtf }\\htmlrtf0}'
    expect(await read({ properties: { '0037': 'S', 1009: store(rtf) } })).toBe('Subject: S\n\nHello')
  })

  it('has RTF that is compressed: the example of the specification', async () => {
    const compressed = Buffer.from(
      '2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0',
      'hex',
    )
    expect(await read({ properties: { '0037': 'S', 1009: compressed } })).toBe('Subject: S\n\nhello world')
  })

  it('has texts in the code page that the message names, or that belongs to its language', async () => {
    const shiftJis = Buffer.from('93fa967b8cea', 'hex')
    const cyrillic = Buffer.from('efe8f1fcece0', 'hex')
    expect(await read({ properties: { '0037001E': shiftJis, '1000001E': shiftJis, '3FFD': 932 } })).toBe(
      'Subject: 日本語\n\n日本語',
    )
    expect(await read({ properties: { '0037001E': cyrillic, '3FF1': 0x419, 1000: 'x' } })).toMatch(
      /^Subject: письма/,
    )
  })

  it('is a failure if it is cut off, although its body may be complete', async () => {
    const attachments = [{ '3707': 'notes.txt', '3701': Buffer.alloc(9000, 'x') }]
    const bytes = createOutlookFile({ properties: { '0037': 'S', 1000: 'Hello' }, attachments })
    for (const share of [0.3, 0.6, 0.9])
      expect([share, await readAs('x.msg', bytes.subarray(0, share * bytes.length))]).toEqual([
        share,
        'malformed: the file is incomplete; download or copy it again',
      ])
  })

  it('is found by the streams in it, under any name', async () => {
    const bytes = createOutlookFile({ properties: { '0037': 'S', 1000: 'Hello' } })
    for (const name of ['x.oft', 'x.txt', 'x.doc', 'x']) expect(await readAs(name, bytes)).toContain('Hello')
  })

  it('is no message because a document contains one', async () => {
    const bytes = createCompoundFile({
      ObjectPool: { _1: { '__properties_version1.0': Buffer.alloc(32) } },
      WordDocument: Buffer.alloc(2048),
    })
    expect(await readAs('x.msg', bytes)).toMatch(
      /^malformed: it is damaged: it does not begin like a Word document/,
    )
  })

  it('is encrypted if its content is', async () => {
    const enveloped = Buffer.from('30820010 06092a864886f70d010703 a003020100'.replaceAll(' ', ''), 'hex')
    const attachments = [{ '3707': 'smime.p7m', '370E': 'application/pkcs7-mime', '3701': enveloped }]
    expect(await read({ properties: { '0037': 'S' }, attachments })).toMatch(/^encrypted: /)
  })

  it('names an attachment without reading it, and fails if there is nothing else', async () => {
    const attachments = [{ '3707': 'scan.pdf', '3701': Buffer.from([1, 2, 3, 0]) }]
    expect(await read({ properties: { '0037': 'S' }, attachments })).toMatch(/^no_text: .*scan\.pdf/)
  })

  it('names a message instead of reading it, if it is attached too deep', async () => {
    let content: OutlookContent = { properties: { '0037': 'deepest', 1000: 'x' } }
    for (let n = 0; n < 30; n++)
      content = { properties: { '0037': `${n}`, 1000: 'x' }, attachments: [{ message: content }] }
    const text = await read(content)
    expect(text).toContain('Attached message: 19')
    expect(text).not.toContain('deepest')
  })
})

describe('a file called .msg', () => {
  it('is read as a mail if it is one', async () => {
    const mail = 'From: a@example.org\nMIME-Version: 1.0\nSubject: S\n\nHello'
    expect(await readAs('x.msg', mail)).toContain('From: a@example.org')
  })
})
