import { describe, expect, it } from 'vitest'
import { readAs } from '../../../support/read-as.ts'
import { writeOpenDocument } from '../../../support/table-documents.ts'

const read = async (
  kind: 'text' | 'presentation',
  body: string,
  parts?: Parameters<typeof writeOpenDocument>[1],
) => readAs('x.odt', writeOpenDocument(`<office:${kind}>${body}</office:${kind}>`, parts))

describe('formulas in an OpenDocument file', () => {
  const formula = '<draw:frame><draw:object xlink:href="./Object 1"/></draw:frame>'
  const parts = {
    'META-INF/manifest.xml': `<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="Object 1/" manifest:media-type="application/vnd.oasis.opendocument.formula"/></manifest:manifest>`,
    'Object 1/content.xml':
      '<m:math xmlns:m="http://www.w3.org/1998/Math/MathML"><m:semantics><m:mrow><m:mi>E</m:mi><m:mo>=</m:mo><m:mi>m</m:mi><m:msup><m:mi>c</m:mi><m:mn>2</m:mn></m:msup></m:mrow><m:annotation m:encoding="StarMath 5.0">E = m c^2</m:annotation></m:semantics></m:math>',
  }

  it('are in the line of the text', async () => {
    const text = await read('text', `<text:p>Energy ${formula} in joules.</text:p>`, { parts })
    expect(text).toBe('Energy E=mc^2 in joules.')
  })

  it('are lines of a slide', async () => {
    const slide = `<draw:page><draw:frame><draw:text-box><text:p>Energy</text:p></draw:text-box></draw:frame>${formula}</draw:page>`
    expect(await read('presentation', slide, { parts })).toBe('## Slide 1\n\nEnergy\nE=mc^2')
  })
})

it('hidden text of an OpenDocument file is left out', async () => {
  const style = (name: string, display: string, parent = '') =>
    `<style:style style:name="${name}" style:parent-style-name="${parent}"><style:text-properties text:display="${display}"/></style:style>`
  const styles = `${style('H', 'none')}<style:style style:name="H2" style:parent-style-name="H"/>${style('S', 'true', 'H')}`
  const p = (name: string, content: string) => `<text:p text:style-name="${name}">${content}</text:p>`
  const body = [
    p('X', 'one<text:span text:style-name="H"> HIDDEN</text:span> two'),
    p('H', 'HIDDEN'),
    p('H2', 'HIDDEN'),
    p('S', 'three'),
    `<text:section text:display="none">${p('X', 'HIDDEN')}</text:section>`,
    p('X', '<text:hidden-text text:is-hidden="true">HIDDEN</text:hidden-text>four'),
    p('X', '<text:hidden-paragraph text:is-hidden="true"/>'),
  ]
  expect(await read('text', body.join(''), { styles })).toBe('one two\n\nthree\n\nfour')
})
