import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { convertDocument } from '../../../../src/inputs/read/readers/convert-document.ts'
import { createPdf, image, show, type TestPdfOptions, toStream } from '../../../support/pdf.ts'

const textOf = async (bytes: Buffer) => {
  const result = await convertDocument({ format: 'pdf', pdf: 'text', bytes })
  return 'action' in result ? `${result.type}: ${result.message}` : result.text
}
const caseText = async (name: string) =>
  textOf(await readFile(resolve(import.meta.dirname, '../../../../fixtures/kinds', name)))
const intro = 'Please fill in this form in block letters.'
const withAnnotations = (content: string, annotations: readonly string[], options?: TestPdfOptions) =>
  textOf(
    createPdf([{ content: show(intro, 50, 750) + content, annotations }], {
      catalog: '/AcroForm<</Fields[]>>',
      ...options,
    }),
  )

describe('the fields of a PDF form', () => {
  it('follow their labels', async () => {
    expect(await caseText('pdf-form-filled.pdf')).toMatch(
      /\nName: FIELD-VALUE ANN EXAMPLE\nAmount: 4711\nAccept \[x\]$/,
    )
  })

  it('have their name if no label is on their line, and their place between the lines', async () => {
    const text = await withAnnotations(
      show('Your name and address', 50, 720) + show('Signed in Norvik', 50, 600),
      [
        '/Subtype/Widget/FT/Tx/T(form.page1[0].first_name[0])/V(Ann\\rEva)/Rect[50 695 150 715]',
        '/Subtype/Widget/FT/Tx/T(a1)/TU(Last name)/V<FEFF00C500730065>/Rect[160 695 250 715]',
        '/Subtype/Widget/FT/Tx/T(hidden)/V(HIDDEN)/F 2/Rect[50 650 150 670]',
        '/Subtype/Widget/FT/Tx/T(password)/Ff 8192/V(SECRET)/Rect[50 650 150 670]',
        '/Subtype/Widget/FT/Tx/T(empty)/Rect[50 650 150 670]',
      ],
    )
    expect(text).toBe(
      `${intro}\nYour name and address\nfirst_name: Ann\nEva\nLast name: Åse\nSigned in Norvik`,
    )
  })

  it('show which boxes, radio buttons and choices are selected', async () => {
    const on = '/AP<</N<</Yes 10 0 R/Off 10 0 R>>>>'
    const text = await withAnnotations(
      show('Married', 75, 700) + show('Single', 175, 700) + show('Country', 50, 650),
      [
        `/Subtype/Widget/FT/Btn/T(m)/V/Yes/AS/Yes${on}/Rect[55 698 70 712]`,
        `/Subtype/Widget/FT/Btn/T(s)/V/Off/AS/Off${on}/Rect[155 698 170 712]`,
        '/Subtype/Widget/FT/Ch/Ff 131072/T(country)/V(no)/Opt[[(no)(Norway)][(se)(Sweden)]]/Rect[120 645 200 662]',
        `/Subtype/Widget/FT/Btn/Ff 32768/T(pay)/V/Yes/AS/Yes${on}/Rect[400 400 410 410]`,
        '/Subtype/Widget/FT/Btn/Ff 65536/T(send)/MK<</CA(Send)>>/Rect[50 100 90 120]',
      ],
      { objects: [toStream('/Subtype/Form/BBox[0 0 9 9]', '')] },
    )
    expect(text).toBe(`${intro}\n[x] Married [ ] Single\nCountry Norway\n[x] pay: Yes`)
  })

  it('do not make a scanned form a text', async () => {
    const page = {
      content: image,
      annotations: ['/Subtype/FreeText/Contents(Ann Example, 12 Harbour Street, Norvik)/Rect[50 50 300 70]'],
    }
    const text = createPdf([{ content: show(intro) }, page])
    expect(await textOf(text)).toBe(
      `${intro}\n\n[page 2: no text, perhaps a scan]\nAnn Example, 12 Harbour Street, Norvik`,
    )
  })
})

describe('the notes in a PDF', () => {
  it('are typed text and comments', async () => {
    const text = await caseText('pdf-annotations.pdf')
    expect(text).toMatch(
      /beside the text\.\nFREETEXT-ANNOTATION\n\[note: STICKY-NOTE the price must be 4711\]$/,
    )
  })

  it('name their author, and are shown once', async () => {
    const text = await withAnnotations(
      show('Clause one', 50, 700) + show('Clause two', 50, 600),
      [
        '/Subtype/Highlight/T(Ann)/Contents(too vague)/Rect[50 698 100 710]/QuadPoints[50 710 100 710 50 698 100 698]',
        '/Subtype/Popup/Contents(too vague)/Rect[400 690 500 740]',
        '/Subtype/Text/Contents(deleted remark)/F 2/Rect[500 590 520 610]',
        '/Subtype/Link/Contents(a link)/Rect[50 598 100 610]',
        '/Subtype/FileAttachment/FS<</F(prices.xlsx)/EF<</F 10 0 R>>>>/Rect[500 590 520 610]',
      ],
      { objects: [toStream('', 'x')] },
    )
    expect(text).toBe(`${intro}\nClause one\n[note by Ann: too vague]\nClause two\n[attachment: prices.xlsx]`)
  })
})

describe('an XFA form', () => {
  const xfa = (template: string, data = '') =>
    withAnnotations('', [], {
      catalog: '/AcroForm<</Fields[]/XFA[(template) 10 0 R (datasets) 11 0 R]>>',
      objects: [
        toStream('', `<xdp:xdp xmlns:xdp="x"><template>${template}</template>`),
        toStream('', `<xfa:datasets xmlns:xfa="y"><xfa:data>${data}</xfa:data></xfa:datasets></xdp:xdp>`),
      ],
    })
  const caption = (text: string) => `<caption><value><text>${text}</text></value></caption>`

  it('is read from its data, not from the page that asks for another program', async () => {
    expect(await caseText('pdf-xfa-please-wait.pdf')).toBe('XFA-CAPTION: XFA-VALUE')
  })

  it('has its values after their captions, and values without a field at the end', async () => {
    const text = await xfa(
      `<subform name="f"><event><script>alert('SCRIPT')</script></event>
        <draw><value><exData contentType="text/html"><body><p>Part <b>one</b></p></body></exData></value></draw>
        <field name="first">${caption('First name:')}</field><field name="unnamed"/>
        <field name="secret" presence="hidden">${caption('HIDDEN')}</field>
        <field name="ok"><ui><checkButton/></ui>${caption('I agree')}<items><text>1</text><text>0</text></items></field>
        <exclGroup name="pay">
          <field><ui><checkButton/></ui>${caption('Cash')}<items><text>c</text></items></field>
          <field><ui><checkButton/></ui>${caption('Card')}<items><text>k</text></items></field>
        </exclGroup>
        <field name="land">${caption('Country')}<items><text>Norway</text></items><items save="1"><text>47</text></items></field>
      </subform>`,
      '<f><first>Ann</first><ok>1</ok><pay>k</pay><land>47</land><row><note>by sea &amp; air</note></row></f>',
    )
    expect(text).toBe(
      'Part one\nFirst name: Ann\n[x] I agree\n[ ] Cash\n[x] Card\nCountry: Norway\nnote: by sea & air',
    )
  })

  it('is a failure if it cannot be read', async () => {
    expect(await xfa('')).toMatch(/^no_text: it is an XFA form without text/)
  })

  it('with ordinary fields is read like any other form', async () => {
    const text = await withAnnotations(
      show('Name', 50, 700),
      ['/Subtype/Widget/FT/Tx/T(n)/V(Ann)/Rect[90 695 150 715]'],
      {
        catalog: '/AcroForm<</Fields[20 0 R]/XFA 10 0 R>>',
        objects: [toStream('', '<xdp/>')],
      },
    )
    expect(text).toBe(`${intro}\nName Ann`)
  })
})
