import { describe, expect, it } from 'vitest'
import { readAs, readFixture } from '../../../support/read-as.ts'

const notebook = (cells: unknown[]) => readAs('x.ipynb', JSON.stringify({ cells, metadata: {} }))
const outputs = (...list: unknown[]) => notebook([{ cell_type: 'code', source: 'x', outputs: list }])
const data = (formats: Record<string, unknown>) => ({ output_type: 'display_data', data: formats })

describe('a notebook', () => {
  it('may have numbers that are no JSON, but not in its strings', async () => {
    expect(await readFixture('ipynb-nan.ipynb')).toMatch(/nan[\s\S]*Text with more than enough words/)
    const text =
      '{"a": [NaN, -Infinity, Infinity], "cells": [{"cell_type": "markdown", "source": "\\"NaN\\\\", "x":NaN}]}'
    expect(await readAs('x.ipynb', text)).toBe('"NaN\\')
    expect(await readAs('x.ipynb', '{"a": NaNo}')).toBe('malformed: not a notebook (it is not JSON)')
  })

  it('shows a result as text although its plain text only names an object', async () => {
    const text = await readFixture('ipynb-html-only.ipynb')
    expect(text).toContain('HTML-RESULT')
    expect(text).toContain('MARKDOWN-RESULT')
    expect(text).not.toContain('IPython')
    const html = { 'text/html': ['<style>p{}</style>', '<p>STYLED'] }
    expect(
      await outputs(data({ ...html, 'text/plain': '<pandas.io.formats.style.Styler at 0x7f>' })),
    ).toMatch(/\nSTYLED$/)
    expect(await outputs(data(html))).toMatch(/\nSTYLED$/)
    expect(
      await outputs(data({ 'text/latex': '$x$', 'text/plain': ['<IPython.core.display.Latex object>'] })),
    ).toMatch(/\n\$x\$$/)
    expect(
      await outputs(
        data({ 'application/json': { a: 1 }, 'text/plain': '<IPython.core.display.JSON object>' }),
      ),
    ).toMatch(/\n\{"a":1\}$/)
    expect(await outputs(data({ 'text/plain': '   a  b\n0  1  2', 'text/html': '<table>' }))).toContain(
      '   a  b\n0  1  2',
    )
  })

  it('marks images, which are never sent as text', async () => {
    expect(await readFixture('ipynb-data-uri.ipynb')).toBe('Figure: ![x]([image])')
    expect(await outputs(data({ 'image/png': 'iVBO', 'text/plain': '<Figure size 432x288>' }))).toMatch(
      /Output:\n\[image\]$/,
    )
    expect(await outputs(data({ 'text/html': '<img src="data:image/png;base64,iVBORw0KGgo=">' }))).toMatch(
      /\[image\]$/,
    )
    expect(
      await outputs(
        data({ 'application/javascript': 'x()', 'text/plain': '<IPython.core.display.Javascript object>' }),
      ),
    ).toMatch(/x\n```$/)
  })

  it('shows errors and what was printed, as a terminal would', async () => {
    expect(
      await outputs({
        output_type: 'error',
        ename: 'KeyError',
        evalue: "'x'",
        traceback: ['\u001b[31mlong'],
      }),
    ).toMatch(/Output:\nKeyError: 'x'$/)
    expect(
      await outputs({
        output_type: 'stream',
        text: ['\u001b[1;31mred\u001b[0m\r\n', ' 10%\r 20%\r100%\r\n', 'done'],
      }),
    ).toMatch(/Output:\nred\n100%\ndone$/)
  })

  it('of format 3 has its cells in worksheets, headings, and results by old names', async () => {
    const text = await readAs(
      'x.ipynb',
      JSON.stringify({
        nbformat: 3,
        worksheets: [
          {
            cells: [
              { cell_type: 'heading', level: 2, source: ['Heading'] },
              {
                cell_type: 'code',
                language: 'python',
                input: ['1 + 1'],
                outputs: [
                  { output_type: 'pyout', text: ['2'] },
                  { output_type: 'pyout', text: '<IPython.core.display.HTML at 0x1>', html: '<b>OLD-HTML' },
                  { output_type: 'display_data', png: 'iVBO', text: '<Figure>' },
                  { output_type: 'pyerr', ename: 'E', evalue: 'bad' },
                ],
              },
            ],
          },
          { cells: [{ cell_type: 'raw', source: 'SECOND-SHEET' }] },
        ],
      }),
    )
    expect(text).toBe(
      '## Heading\n\n```python\n1 + 1\n```\n\nOutput:\n2\n\nOutput:\nOLD-HTML\n\nOutput:\n[image]\n\nOutput:\nE: bad\n\nSECOND-SHEET',
    )
  })
})
