import type { PairwiseResult, PairwiseScore } from '../core/compare/pairwise.ts'
import type { VariantRatios, VariantSummary } from '../core/compare/variant-summary.ts'
import type { ConfidenceInterval } from '../core/estimate/confidence-interval.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { formatInteger } from '../core/text/format-number.ts'
import { escapeMarkdown, renderCodeBlock, renderMarkdownTable } from './markdown.ts'
import { formatTable } from './text-table.ts'

/** One variant as the tables show it. */
export interface VariantView {
  /** The prompt, its version and the model: `summarize@v1, claude-haiku-5-5`. */
  readonly name: string
  readonly summary: VariantSummary
  /** Compared with the first variant; undefined for the first one itself. */
  readonly ratios: VariantRatios | undefined
}

const header = [
  '',
  'documents',
  'failed',
  'cost each',
  'tokens in',
  'tokens out',
  'latency',
  'words',
] as const

/** The judge's decisions about all variants except the first. */
export interface JudgeView {
  /** The judge's prompt, its version and the model: `judge@v1, claude-opus-5-5`. */
  readonly name: string
  readonly scores: readonly { readonly name: string; readonly score: PairwiseScore }[]
}

/** Returns the variants of a comparison as tables of text. */
export function formatComparison(variants: readonly VariantView[], judge?: JudgeView): string {
  return buildComparisonTables(variants, judge)
    .map((rows) => formatTable(rows))
    .join('\n')
}

const citedNote =
  'Cited: the share of statements with a passage of the document that was found there; it does not show that the passage says the same.'
const tableNote =
  'Means per document with 95 % confidence intervals. Ratios compare each variant with the first one, document by document.'
const judgeNote =
  'A variant wins where the judge preferred its text in both orders. Position-biased: the judge preferred a position, not a text. Win rate: wins among wins and losses; where its interval includes 50 %, the sample shows no difference.'

/** Returns the same tables in Markdown, followed by what they mean. */
export function renderComparisonMarkdown(variants: readonly VariantView[], judge?: JudgeView): string {
  const tables = buildComparisonTables(variants, judge).map(([head = [], ...rows]) =>
    renderMarkdownTable(
      head.map(escapeMarkdown),
      rows.map((row) => row.map(escapeMarkdown)),
    ),
  )
  return [...tables, `${getComparisonNote(variants, judge)}\n`].join('\n')
}

/** Returns a sentence that says what the tables mean. */
export function getComparisonNote(variants: readonly VariantView[], judge: JudgeView | undefined): string {
  return [
    tableNote,
    ...(isCited(variants) ? [citedNote] : []),
    ...(judge === undefined ? [] : [judgeNote]),
  ].join(' ')
}

/** The text of one variant about one document. */
export interface VariantText {
  readonly name: string
  readonly text: string | undefined
  /** US dollars; null if unknown; undefined if the variant has no result. */
  readonly costUsd?: number | null | undefined
  /** Whether the reply came from the simulator, so that nothing was spent. */
  readonly simulated?: boolean
}

/** One document: the text of each variant and the judge's decisions. */
export interface DocumentComparison {
  readonly path: string
  /** The text of the document itself; undefined where it is not known. */
  readonly source?: string | undefined
  /** In the order of the variants; undefined where a variant has no text. */
  readonly texts: readonly VariantText[]
  /**
   * The judge's decision about each variant but the first. `replies` has the judge's two replies: with the
   * variant's text in first position, then in second position.
   */
  readonly judgements: readonly {
    readonly name: string
    readonly result: PairwiseResult
    readonly replies: readonly string[]
  }[]
}

/** Returns the texts of all variants in Markdown, document by document. */
export function renderTextsMarkdown(documents: readonly DocumentComparison[]): string {
  return documents
    .map(({ path, texts, judgements }) => {
      const parts = texts.map(
        ({ name, text }) =>
          `**${escapeMarkdown(name)}**\n\n${text === undefined ? '(nothing)' : renderCodeBlock(text)}`,
      )
      for (const { name, result: judgement, replies: texts } of judgements) {
        parts.push(`**Judgement of ${escapeMarkdown(name)}: ${resultLabels[judgement]}**`)
        for (const [n, text] of texts.entries())
          parts.push(
            `In ${n === 0 ? 'first' : 'second'} position:\n\n${text === '' ? '(nothing)' : renderCodeBlock(text)}`,
          )
      }
      return `## ${escapeMarkdown(path)}\n\n${parts.join('\n\n')}\n`
    })
    .join('\n')
}

export const resultLabels = {
  won: 'win',
  lost: 'loss',
  tied: 'tie',
  changed: 'position-biased',
  failed: 'no decision',
} as const satisfies Record<PairwiseResult, string>

type Table = readonly (readonly string[])[]

/**
 * Returns a table of the variants' means, one of their ratios to the first variant and, with a judge, one of
 * the judge's decisions. Each table is a list of rows; the first row is the heading.
 */
export function buildComparisonTables(
  variants: readonly VariantView[],
  judge: JudgeView | undefined,
): Table[] {
  const [first, ...others] = variants
  const ratioHeader = [`compared with ${escapeControlChars(first?.name ?? '')}`, 'cost', 'latency', 'words']
  const formatCoverage = ({ coverage }: VariantSummary) =>
    coverage === undefined ? 'none' : formatInterval(coverage, formatPercent)
  const addCoverage = (row: readonly string[], cell: string) => (isCited(variants) ? [...row, cell] : row)
  return [
    [
      addCoverage(header, 'cited'),
      ...variants.map((variant) => addCoverage(buildVariantRow(variant), formatCoverage(variant.summary))),
    ],
    [ratioHeader, ...others.map(buildRatioRow)],
    ...(judge === undefined ? [] : [buildJudgeTable(judge)]),
  ]
}

/** Whether a variant asks for citations. */
function isCited(variants: readonly VariantView[]): boolean {
  return variants.some(({ summary }) => summary.coverage !== undefined)
}

function buildJudgeTable({ name, scores }: JudgeView): Table {
  const head = [
    `judged by ${escapeControlChars(name)}`,
    'wins',
    'losses',
    'ties',
    'position-biased',
    'no decision',
    'win rate',
  ]
  const rows = scores.map(({ name, score: { won, lost, tied, changed, failed, winRate } }) => [
    escapeControlChars(name),
    ...[won, lost, tied, changed, failed].map(String),
    winRate === undefined
      ? 'unknown'
      : `${formatPercent(winRate.value)} (${formatPercent(winRate.low)}–${formatPercent(winRate.high)})`,
  ])
  return [head, ...rows]
}

function buildRatioRow({ name, ratios }: VariantView): string[] {
  const formatRatio = (ratio: ConfidenceInterval | undefined) => {
    if (ratio === undefined) return 'unknown'
    const { value, low, high } = ratio
    const bounds = low === undefined || high === undefined ? '' : ` (${low.toFixed(2)}–${high.toFixed(2)})`
    return `× ${value.toFixed(2)}${bounds}`
  }
  return [
    escapeControlChars(name),
    formatRatio(ratios?.cost),
    formatRatio(ratios?.latency),
    formatRatio(ratios?.words),
  ]
}

function buildVariantRow({ name, summary }: VariantView): string[] {
  const {
    summarized,
    failed,
    costUsd,
    inputTokens: tokensIn,
    outputTokens: tokensOut,
    latencyMs,
    words,
  } = summary
  const share =
    failed.count === 0 ? '0' : `${failed.count} (${formatPercent(failed.low)}–${formatPercent(failed.high)})`
  return [
    escapeControlChars(name),
    String(summarized),
    share,
    formatInterval(costUsd, (usd) => `$${usd.toPrecision(3)}`),
    formatInterval(tokensIn, formatInteger),
    formatInterval(tokensOut, formatInteger),
    formatInterval(latencyMs, formatDuration),
    formatInterval(words, formatInteger),
  ]
}

/** Formats an estimate with its margin: `120 ±14`. */
function formatInterval(estimate: ConfidenceInterval | undefined, format: (value: number) => string): string {
  if (estimate === undefined) return 'unknown'
  const { value, high } = estimate
  return high === undefined ? format(value) : `${format(value)} ±${format(high - value)}`
}

function formatPercent(share = 0): string {
  return `${Math.round(share * 100)} %`
}
