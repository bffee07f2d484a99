import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { VariantSummary } from '../../src/core/compare/variant-summary.ts'
import { renderComparisonHtml } from '../../src/ui/render-comparison-html.ts'

const hostile = [
  '<',
  '>',
  '"',
  "'",
  '&',
  '</pre>',
  '</script>',
  '<!--',
  'javascript:',
  '\u001b',
  '\u202e',
  '\n',
  'a',
]

it('the page of a comparison has the same tags for all names and texts', () => {
  const measure = { count: 1, value: 1, low: 1, high: 1 }
  const summary: VariantSummary = {
    summarized: 1,
    failed: measure,
    costUsd: undefined,
    inputTokens: undefined,
    outputTokens: undefined,
    latencyMs: undefined,
    words: undefined,
    coverage: measure,
  }
  const pageOf = (text: string) => {
    const score = { won: 1, lost: 0, tied: 0, changed: 0, failed: 0, winRate: undefined }
    const judge = { name: text, scores: [{ name: text, score }] }
    const texts = [{ name: text, text, costUsd: 0.00015, simulated: true }]
    const judgements = [{ name: text, result: 'won', replies: [text, text] }] as const
    const arms = [{ name: text, summary, ratios: undefined }]
    return [...renderComparisonHtml(arms, judge, [{ path: text, source: text, texts, judgements }])].join('')
  }
  const tagsIn = (html: string) => html.replace(/ aria-label="[^"]*"/g, '').match(/<[^>]*>?/g)
  const nothingElse = tagsIn(pageOf('x'))
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...hostile), { minLength: 1 }), (parts) => {
      const text = parts.join('')
      expect(tagsIn(pageOf(text))).toEqual(nothingElse)
      expect(pageOf(text)).not.toMatch(/\u001b|\u202e/)
    }),
  )
})

it('the page of a comparison shows what each text cost, the folded document, and a hint to scroll', () => {
  const texts = [
    { name: 'a', text: 'Boats.', costUsd: 0.00015, simulated: true },
    { name: 'b', text: 'Ice.', costUsd: null },
    { name: 'c', text: undefined },
  ]
  const source = `Boats float.\n${'x'.repeat(60_000)}`
  const page = [
    ...renderComparisonHtml([], undefined, [{ path: 'd.md', source, texts, judgements: [] }]),
  ].join('')
  expect(page).toContain('<h3>a</h3><p class="note">Cost: $0.00015 (simulated)</p>')
  expect(page).toContain(' Costs are simulated: nothing was spent.')
  expect(page).toContain('<h3>b</h3><p class="note">Cost: unknown</p>')
  expect(page).toContain('<h3>c</h3><pre')
  expect(page).toContain('<details class="source"><summary>Text of the document</summary>')
  expect(page).toContain('Only the beginning of the document is shown.')
  expect(page.length).toBeLessThan(80_000)
  expect(page).toContain('Scroll this table sideways to see all columns.')
})
