import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { convertDocument } from '../../../../src/inputs/read/readers/convert-document.ts'
import { createZip } from '../../../support/zip.ts'

const folder = resolve(import.meta.dirname, '../../../../fixtures/kinds')
const office = 'http://schemas.openxmlformats.org'
const namespaces = [
  `xmlns:w="${office}/wordprocessingml/2006/main"`,
  `xmlns:r="${office}/officeDocument/2006/relationships"`,
  `xmlns:m="${office}/officeDocument/2006/math"`,
  `xmlns:mc="${office}/markup-compatibility/2006"`,
  'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"',
].join(' ')

/** The parts that a document refers to: their types and contents, by file name in `word/`. */
type Parts = Readonly<Record<string, readonly [type: string, content: string | Buffer]>>

const wrap = (tag: string, content: string) => `<w:${tag} ${namespaces}>${content}</w:${tag}>`
const word = (body: string, parts: Parts = {}) =>
  createZip({
    'word/document.xml': wrap('document', `<w:body>${body}</w:body>`),
    'word/_rels/document.xml.rels': `<Relationships>${Object.entries(parts)
      .map(([name, [type]], n) => `<Relationship Id="r${n}" Type="${office}/x/${type}" Target="${name}"/>`)
      .join('')}</Relationships>`,
    ...Object.fromEntries(Object.entries(parts).map(([name, [, content]]) => [`word/${name}`, content])),
  })
const textOf = async (bytes: Buffer) => {
  const result = await convertDocument({ format: 'docx', pdf: 'text', bytes })
  return 'action' in result ? `${result.type}: ${result.message}` : result.text
}
const read = (body: string, parts?: Parts) => textOf(word(body, parts))
const fixture = async (name: string) => textOf(await readFile(join(folder, name)))

const run = (text: string, properties = '') =>
  `<w:r><w:rPr>${properties}</w:rPr><w:t xml:space="preserve">${text}</w:t></w:r>`
const p = (content: string, properties = '') => `<w:p><w:pPr>${properties}</w:pPr>${content}</w:p>`
const item = (text: string, level: number, list = 1) =>
  p(run(text), `<w:numPr><w:ilvl w:val="${level}"/><w:numId w:val="${list}"/></w:numPr>`)

describe('the text of a Word document', () => {
  it('has the results of fields', async () => {
    expect(await fixture('docx-fldsimple.docx')).toContain('Table 7: customer MERGED-NAME')
    const field = (type: string) => `<w:r><w:fldChar w:fldCharType="${type}"/></w:r>`
    const code = (text: string) => `<w:r><w:instrText>${text}</w:instrText></w:r>`
    const inner = `${field('begin')}${code('MERGEFIELD x')}${field('separate')}${run('CODE')}${field('end')}`
    expect(
      await read(
        p(
          `${field('begin')}${code('IF ')}${inner}${code(' = 1')}${field('separate')}${run('RESULT')}${field('end')} ${run('after')}`,
        ),
      ),
    ).toBe('RESULTafter')
    expect(await read(p(`${field('begin')}${run('lost')}`) + p(run('a field that never ends')))).toBe(
      'a field that never ends',
    )
  })

  it('has the text of fields that Word shows from their code', async () => {
    const field = (code: string) =>
      `<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>${code}</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>`
    expect(
      await read(
        p(field(' EQ \\* jc2 \\* "Font:MS" \\* hps10 \\o\\ad(\\s\\up 9(とうきょう),東京)')) +
          p(field('EQ \\f(1,2)')) +
          p(field('SYMBOL 97 \\f "Symbol" \\s 10') + field('TC "not shown"') + field('XE "nor this"')) +
          p(field('MACROBUTTON NoMacro [Type a name]')),
      ),
    ).toBe('東京(とうきょう)\n\n1/2\n\nα\n\n[Type a name]')
  })

  it('has equations in one line', async () => {
    expect(await fixture('docx-math.docx')).toContain('The energy is E=mc^2 in joules.')
    const r = (text: string) => `<m:r><m:t>${text}</m:t></m:r>`
    const e = (content: string) => `<m:e>${content}</m:e>`
    const root = `<m:rad><m:radPr><m:degHide m:val="1"/></m:radPr><m:deg/>${e(r('x'))}</m:rad>`
    const fraction = `<m:f><m:num>${r('a+b')}</m:num><m:den>${root}</m:den></m:f>`
    const sum = `<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>${r('i=1')}</m:sub><m:sup>${r('n')}</m:sup>${e(fraction)}</m:nary>`
    const index = (name: string) => `<m:sSub>${e(r(name))}<m:sub>${r('1')}</m:sub></m:sSub>`
    const matrix = `<m:d><m:dPr><m:begChr m:val="|"/><m:endChr m:val="|"/></m:dPr>${e(`<m:m><m:mr>${e(r('1'))}${e(r('0'))}</m:mr><m:mr>${e(r('0'))}${e(r('1'))}</m:mr></m:m>`)}</m:d>`
    expect(
      await read(
        p(`<m:oMathPara><m:oMath>${sum}${r('=')}${index('a')}${index('b')}${matrix}</m:oMath></m:oMathPara>`),
      ),
    ).toBe('∑_(i=1)^n (a+b)/√(x)=a_1 b_1|[1, 0; 0, 1]|')
    const equation = (text: string) => `<m:oMath>${r(text)}</m:oMath>`
    expect(await read(p(equation('a')) + p(equation('b')))).toBe('a\n\nb')
    expect(await read(p(run('If ') + equation('a=b') + equation('c=d') + run(', so')))).toBe('If a=b c=d, so')
  })

  it('has the base of ruby and its reading, and text of other directions', async () => {
    const ruby = `<w:r><w:ruby><w:rubyPr/><w:rt>${run('とうきょう')}</w:rt><w:rubyBase>${run('東京')}</w:rubyBase></w:ruby></w:r>`
    expect(await read(p(ruby + run('へ')))).toBe('東京(とうきょう)へ')
    expect(
      await read(p(`<w:dir w:val="rtl">${run('שלום')}</w:dir> <w:bdo w:val="ltr">${run(' abc')}</w:bdo>`)),
    ).toBe('שלום abc')
  })

  it('has symbols of fonts such as Wingdings', async () => {
    const symbol = '<w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>'
    expect(await read(p(symbol + run(' done ') + run('\uf061', '<w:rFonts w:ascii="Symbol"/>')))).toBe(
      '✓ done α',
    )
  })

  it('has inserted text and no deleted text, and joins paragraphs whose end is deleted', async () => {
    const deleted = (content: string) => `<w:del w:id="1">${content}</w:del>`
    expect(
      await read(
        p(
          run('kept ') +
            deleted('<w:r><w:delText>x</w:delText></w:r>') +
            `<w:ins w:id="2">${run('NEW')}</w:ins>`,
        ) +
          p(`<w:moveFrom>${run('from')}</w:moveFrom><w:moveTo>${run('moved')}</w:moveTo>`) +
          p(run('first half'), '<w:rPr><w:del w:id="3"/></w:rPr>') +
          p(run(', second half')),
      ),
    ).toBe('kept NEW\n\nmoved\n\nfirst half, second half')
  })

  it('has no hidden text and no earlier properties', async () => {
    const change = '<w:rPrChange><w:rPr><w:vanish/></w:rPr></w:rPrChange>'
    expect(
      await read(
        p(run('shown', change) + run('hidden', '<w:vanish/>') + run(' too', '<w:vanish w:val="0"/>')),
      ),
    ).toBe('shown too')
  })

  it('has the runs that are shown although the style of their paragraph hides text', async () => {
    const style =
      '<w:style w:type="paragraph" w:styleId="H"><w:name w:val="H"/><w:rPr><w:vanish/></w:rPr></w:style>'
    const hidden = p(run('shown', '<w:vanish w:val="0"/>') + run(' hidden'), '<w:pStyle w:val="H"/>')
    expect(await read(hidden, { 'styles.xml': ['styles', wrap('styles', style)] })).toBe('shown')
  })

  it('has charts and diagrams after the paragraph in which they are, also in headers', async () => {
    const drawing = (content: string) =>
      `<w:r><w:drawing><wp:inline><a:graphic><a:graphicData>${content}</a:graphicData></a:graphic></wp:inline></w:drawing></w:r>`
    const chart = drawing('<c:chart r:id="r0"/>')
    const diagram = drawing('<dgm:relIds r:dm="r1"/>')
    const words = (text: string) => `<a:p><a:r><a:t>${text}</a:t></a:r></a:p>`
    const value = (tag: string, text: string) =>
      `<c:${tag}><c:strRef><c:strCache><c:pt idx="0"><c:v>${text}</c:v></c:pt></c:strCache></c:strRef></c:${tag}>`
    const series = `<c:ser>${value('tx', 'Delay')}${value('cat', '2023')}${value('val', '4711')}</c:ser>`
    const chartPart = `<c:chartSpace><c:title><c:tx><c:rich>${words('TITLE')}</c:rich></c:tx></c:title>${series}</c:chartSpace>`
    const bytes = {
      'charts/chart1.xml': ['chart', chartPart],
      'diagrams/data1.xml': ['diagramData', `<dgm:dataModel>${words('STEP')}</dgm:dataModel>`],
      'header1.xml': ['header', wrap('hdr', p(diagram))],
      '_rels/header1.xml.rels': [
        'x',
        `<Relationships><Relationship Id="r1" Type="${office}/x/diagramData" Target="diagrams/data1.xml"/></Relationships>`,
      ],
    } as const
    const section = '<w:sectPr><w:headerReference w:type="default" r:id="r2"/></w:sectPr>'
    expect(await read(p(run('before ') + chart + run('after')) + p(diagram) + section, bytes)).toBe(
      'STEP\n\nbefore after\n\nChart: TITLE\n | Delay\n2023 | 4711\n\nSTEP',
    )
    expect(await read(`<w:p>${run('x', '<w:vanish/>')}${chart}</w:p>`, bytes)).toContain('TITLE')
  })

  it('has text boxes once, after the paragraph in which they are', async () => {
    const box = (text: string) => `<w:r><w:txbxContent>${p(run(text))}</w:txbxContent></w:r>`
    const both = `<mc:AlternateContent><mc:Choice Requires="wps">${box('BOX')}</mc:Choice><mc:Fallback>${box('BOX')}</mc:Fallback></mc:AlternateContent>`
    const fallback = `<mc:AlternateContent><mc:Choice Requires="x"/><mc:Fallback>${box('ONLY')}</mc:Fallback></mc:AlternateContent>`
    expect(await read(p(run('before ') + both + run('after')) + p(fallback))).toBe(
      'before after\n\nBOX\n\nONLY',
    )
  })

  it('has check boxes with their state', async () => {
    const control = (checked: string) =>
      `<w:sdt><w:sdtPr><w14:checkbox>${checked}</w14:checkbox></w:sdtPr><w:sdtContent>${run(checked.includes('"1"') ? '☒' : '☐')}</w:sdtContent></w:sdt>`
    expect(
      await read(
        p(control('<w14:checked w14:val="1"/>') + run(' Approved ') + control('') + run(' Refused')),
      ),
    ).toBe('[x] Approved [ ] Refused')
    const legacy = (state: string) =>
      `<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox>${state}</w:checkBox></w:ffData></w:fldChar></w:r><w:r><w:instrText>FORMCHECKBOX</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>`
    expect(
      await read(
        p(
          `${legacy('<w:default w:val="1"/>')}Yes${run('Yes')}${legacy('<w:default w:val="1"/><w:checked w:val="0"/>')}${run('No')}`,
        ),
      ),
    ).toBe('[x] Yes [ ] No')
    const list =
      '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:ddList><w:result w:val="1"/><w:listEntry w:val="red"/><w:listEntry w:val="green"/></w:ddList></w:ffData></w:fldChar></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
    expect(await read(p(run('Colour:') + list))).toBe('Colour: green')
  })

  it('has embedded documents', async () => {
    const rtf = '{\\rtf1 x}'
    const chunks: Parts = {
      'a.html': ['aFChunk', '<html><body><p>from a page: caf\u00e9</p></body></html>'],
      'b.dat': ['aFChunk', word(p(run('from a document')))],
      'c.txt': ['aFChunk', Buffer.from('plain caf\xe9', 'latin1')],
      'd.mht': ['aFChunk', 'MIME-Version: 1.0\nContent-Type: text/html\n\n<p>from an archive</p>'],
      'e.rtf': ['aFChunk', rtf],
    }
    const all = Object.keys(chunks).map((_, n) => `<w:altChunk r:id="r${n}"/>`)
    expect(await read(p(run('before')) + all.join('') + p(run('after')), chunks)).toBe(
      [
        'before',
        'from a page: café',
        'from a document',
        'plain café',
        'from an archive',
        '[embedded file that is not read: e.rtf]',
        'after',
      ].join('\n\n'),
    )
  })

  it('has notes at its end, in the order of the references', async () => {
    const reference = (kind: string, id: number) => `<w:r><w:${kind}Reference w:id="${id}"/></w:r>`
    const notes = (kind: string, ...texts: string[]) =>
      wrap(`${kind}s`, texts.map((text, n) => `<w:${kind} w:id="${n}">${p(run(text))}</w:${kind}>`).join(''))
    const body = p(
      run('One') +
        reference('footnote', 1) +
        run(' two') +
        reference('endnote', 0) +
        run(' three') +
        reference('footnote', 0),
    )
    const parts: Parts = {
      'footnotes.xml': ['footnotes', notes('footnote', 'third', 'first', 'not referred to')],
      'endnotes.xml': ['endnotes', notes('endnote', 'second')],
    }
    expect(await read(body, parts)).toBe('One^[1] two^[2] three^[3]\n\n1. first\n2. second\n3. third')
  })
})

describe('the headers and footers of a Word document', () => {
  it('are shown once, before and after the text', async () => {
    expect(await fixture('docx-header.docx')).toMatch(/^HEADER-LETTERHEAD 12 March 2024, File no. 77\n\nThis/)
    const section = (...references: string[]) => `<w:sectPr>${references.join('')}<w:titlePg/></w:sectPr>`
    const reference = (kind: string, type: string, n: number) =>
      `<w:${kind}Reference w:type="${type}" r:id="r${n}"/>`
    const body = `${p(run('body'), section(reference('header', 'default', 0), reference('footer', 'default', 3)))}${section(
      reference('header', 'default', 1),
      reference('header', 'first', 2),
      reference('header', 'even', 4),
    )}`
    expect(
      await read(body, {
        'header1.xml': ['header', wrap('hdr', p(run('ACME Ltd')))],
        'header2.xml': ['header', wrap('hdr', p(run('ACME Ltd')) + p(run('Part two')))],
        'header3.xml': ['header', wrap('hdr', p(run('First page')))],
        'footer1.xml': ['footer', wrap('ftr', p(run('- 3 -')) + p(run('VAT 123')))],
        'header4.xml': ['header', wrap('hdr', p(run('OLD, of even pages, which are switched off')))],
      }),
    ).toBe('ACME Ltd\nFirst page\nPart two\n\nbody\n\nVAT 123')
  })

  it('are those of the section before it, if a section has none', async () => {
    const first = '<w:sectPr><w:headerReference w:type="first" r:id="r0"/></w:sectPr>'
    expect(
      await read(`${p(run('one'), first)}${p(run('two'))}<w:sectPr><w:titlePg/></w:sectPr>`, {
        'header1.xml': ['header', wrap('hdr', p(run('LETTERHEAD')))],
      }),
    ).toBe('LETTERHEAD\n\none\n\ntwo')
  })
})

describe('the numbers in a Word document', () => {
  const level = (n: number, format: string, text: string, more = '') =>
    `<w:lvl w:ilvl="${n}"><w:start w:val="1"/><w:numFmt w:val="${format}"/>${more}<w:lvlText w:val="${text}"/></w:lvl>`
  const numbering = wrap(
    'numbering',
    `<w:abstractNum w:abstractNumId="0">${level(0, 'upperRoman', 'Article %1', '<w:pStyle w:val="Head"/>')}${level(1, 'decimal', '%1.%2', '<w:isLgl/>')}${level(2, 'lowerLetter', '(%3)')}</w:abstractNum>
     <w:abstractNum w:abstractNumId="1">${level(0, 'bullet', '\uf0b7')}${level(1, 'lowerRoman', '%2)')}</w:abstractNum>
     <w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>
     <w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>
     <w:num w:numId="3"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num>`,
  )
  const styles = wrap(
    'styles',
    `<w:style w:type="paragraph" w:styleId="Head"><w:name w:val="heading 1"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>
     <w:style w:type="paragraph" w:styleId="Own"><w:basedOn w:val="Head"/><w:name w:val="My heading"/></w:style>`,
  )
  const parts: Parts = { 'n.xml': ['numbering', numbering], 's.xml': ['styles', styles] }

  it('are those that Word shows, of headings and lists', async () => {
    const heading = (text: string, style: string) => p(run(text), `<w:pStyle w:val="${style}"/>`)
    const body = [
      heading('Scope', 'Head'),
      item('The supplier', 1),
      item('delivers', 2),
      item('and repairs', 2),
      item('The customer', 1),
      p(run('Unnumbered')),
      heading('Price', 'Own'),
      item('It is fixed', 1),
      item('Bullet', 0, 2),
      item('Roman', 1, 2),
      item('Restarted', 0, 3),
      item('Removed', 0, 0),
    ]
    expect(await read(body.join(''), parts)).toBe(`# Article I Scope

  1.1 The supplier
    (a) delivers
    (b) and repairs
  1.2 The customer

Unnumbered

# Article II Price

  2.1 It is fixed
- Bullet
  i) Roman
Article VII Restarted

Removed`)
  })

  it('do not count deleted paragraphs', async () => {
    const removed = `<w:p><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr><w:rPr><w:del/></w:rPr></w:pPr><w:del><w:r><w:delText>x</w:delText></w:r></w:del></w:p>`
    expect(await read(item('one', 1) + removed + item('two', 1), parts)).toBe('  1.1 one\n  1.2 two')
  })
})

describe('tables in a Word document', () => {
  it('are rows of cells, without deleted rows, and with cells in their columns', async () => {
    const cell = (content: string, properties = '') => `<w:tc><w:tcPr>${properties}</w:tcPr>${content}</w:tc>`
    const row = (cells: string, properties = '') => `<w:tr><w:trPr>${properties}</w:trPr>${cells}</w:tr>`
    const table =
      row(cell(p(run('Route'))) + cell(p(run('Delay')))) +
      row(cell(p(run('North')), '<w:vMerge w:val="restart"/>') + cell(p(run('11')))) +
      row(cell(p(''), '<w:vMerge/>') + cell(p(run('12')))) +
      row(cell(p(run('x'))) + cell(p(run('y'))), '<w:del/>')
    expect(await read(`${p(run('before'))}<w:tbl>${table}</w:tbl>${p(run('after'))}`)).toBe(
      'before\n\nRoute | Delay\nNorth | 11\n | 12\n\nafter',
    )
  })
})

describe('a Word document', () => {
  it('may use any prefix, the strict namespaces, other part names and UTF-16', async () => {
    const body =
      '<x:document xmlns:x="http://purl.oclc.org/ooxml/wordprocessingml/main"><x:body><x:p><x:r><x:t>STRICT</x:t></x:r></x:p></x:body></x:document>'
    const bytes = createZip({
      '_rels/.rels':
        '<Relationships><Relationship Id="a" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument" Target="/word/document7.xml"/></Relationships>',
      'word/document7.xml': Buffer.from(`\ufeff<?xml version="1.0" encoding="UTF-16"?>${body}`, 'utf16le'),
    })
    expect(await textOf(bytes)).toBe('STRICT')
  })

  it('is read however short it is; without text it is empty, or a failure if it has pictures', async () => {
    expect(await fixture('docx-short-letter.docx')).toBe('Room 204 is closed on Thursday; meet in 310.')
    expect(await read(p(''))).toBe('')
    const picture: Parts = { 'media/image1.png': ['image', 'png'] }
    expect(await read(p(run('Closed on Friday.')), picture)).toBe('Closed on Friday.')
    expect(await read(p(run('2')), picture)).toMatch(/^no_text: it holds pictures and no text/)
  })

  it('is an error if its text boxes are nested too deeply', async () => {
    const open = '<w:p><w:r><w:txbxContent>'
    expect(await read(open.repeat(1000))).toMatch(/^too_complex: its text boxes are nested/)
  })
})
