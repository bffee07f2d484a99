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
  }
  const pageOf = (text: string) => {
    const score = { won: 1, lost: 0, tied: 0, changed: 0, failed: 0, winRate: undefined }
    const judge = { name: text, scores: [{ name: text, score }] }
    const texts = [{ name: text, text }]
    const judgements = [{ name: text, result: 'won', replies: [text, text] }] as const
    const arms = [{ name: text, summary, ratios: undefined }]
    return [...renderComparisonHtml(arms, judge, [{ path: text, texts, judgements }])].join('')
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
