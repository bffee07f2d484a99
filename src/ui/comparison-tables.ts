import type { PairwiseResult, PairwiseScore } from '../core/compare/pairwise.ts'
import type { VariantRatios, VariantSummary } from '../core/compare/variant-summary.ts'
import type { ConfidenceInterval } from '../core/estimate/confidence-interval.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { formatInteger } from '../core/text/format-number.ts'
import { escapeMarkdown, renderCodeBlock, renderMarkdownTable } from './markdown.ts'
import { formatTable } from './text-table.ts'

/** One arm as it is shown. */
export interface VariantView {
  /** `summarize@v1, claude-haiku-5-5`. */
  readonly name: string
  readonly summary: VariantSummary
  /** Beside the first arm; undefined for that itself. */
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

/** What a judge said of all arms but the first. */
export interface JudgeView {
  /** `judge@v1, claude-opus-5-5`. */
  readonly name: string
  readonly scores: readonly { readonly name: string; readonly score: PairwiseScore }[]
}

/** The arms of a comparison as tables of text. */
export function formatComparison(variants: readonly VariantView[], judge?: JudgeView): string {
  return buildComparisonTables(variants, judge)
    .map((rows) => formatTable(rows))
    .join('\n')
}

const tableNote =
  'Means per document, with the interval that holds the true mean 95 times in a hundred; beside the first arm, document by document, how many times as much.'
const judgeNote =
  'A text is better where the judge preferred it in both orders; preferred: how often that was this arm, of those that one of the two won. Where the interval holds 50 %, the sample shows no difference.'

/** The same in Markdown, and what it means. */
export function renderComparisonMarkdown(variants: readonly VariantView[], judge?: JudgeView): string {
  const tables = buildComparisonTables(variants, judge).map(([head = [], ...rows]) =>
    renderMarkdownTable(
      head.map(escapeMarkdown),
      rows.map((row) => row.map(escapeMarkdown)),
    ),
  )
  return [...tables, `${getComparisonNote(judge)}\n`].join('\n')
}

/** What the tables mean. */
export function getComparisonNote(judge: JudgeView | undefined): string {
  return judge === undefined ? tableNote : `${tableNote} ${judgeNote}`
}

/** A document, what each arm made of it, and what was said of that. */
export interface DocumentComparison {
  readonly path: string
  /** In the order of the arms; undefined where an arm made nothing. */
  readonly texts: readonly { readonly name: string; readonly text: string | undefined }[]
  /** With the judge's answers where the arm's text stood first, and second. */
  readonly judgements: readonly {
    readonly name: string
    readonly result: PairwiseResult
    readonly replies: readonly string[]
  }[]
}

/** The texts of all arms below each other, document by document, in Markdown. */
export function renderTextsMarkdown(documents: readonly DocumentComparison[]): string {
  return documents
    .map(({ path, texts, judgements }) => {
      const parts = texts.map(
        ({ name, text }) =>
          `**${escapeMarkdown(name)}**\n\n${text === undefined ? '(nothing)' : renderCodeBlock(text)}`,
      )
      for (const { name, result: judgement, replies: texts } of judgements) {
        parts.push(`**The judge: ${escapeMarkdown(name)} ${resultPhrases[judgement]}**`)
        for (const [n, text] of texts.entries())
          parts.push(
            `Standing ${n === 0 ? 'first' : 'second'}:\n\n${text === '' ? '(nothing)' : renderCodeBlock(text)}`,
          )
      }
      return `## ${escapeMarkdown(path)}\n\n${parts.join('\n\n')}\n`
    })
    .join('\n')
}

export const resultPhrases = {
  won: 'is better',
  lost: 'is worse',
  tied: 'is as good',
  changed: 'was preferred, or not, for its place',
  failed: 'was not judged: no verdict',
} as const satisfies Record<PairwiseResult, string>

type Table = readonly (readonly string[])[]

/** Rows of cells, the first of them names: what each arm came to, and the others beside the first. */
export function buildComparisonTables(
  variants: readonly VariantView[],
  judge: JudgeView | undefined,
): Table[] {
  const [first, ...others] = variants
  const ratioHeader = [`against ${escapeControlChars(first?.name ?? '')}`, 'cost', 'latency', 'words']
  return [
    [header, ...variants.map(buildVariantRow)],
    [ratioHeader, ...others.map(buildRatioRow)],
    ...(judge === undefined ? [] : [buildJudgeTable(judge)]),
  ]
}

function buildJudgeTable({ name, scores }: JudgeView): Table {
  const head = [
    `by ${escapeControlChars(name)}`,
    'better',
    'worse',
    'as good',
    'by its place',
    'no verdict',
    'preferred',
  ]
  const rows = scores.map(({ name, score: { won, lost, tied, changed, failed, winRate } }) => [
    escapeControlChars(name),
    ...[won, lost, tied, changed, failed].map(String),
    winRate === undefined
      ? 'none won'
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

/** `120 ±14`. */
function formatInterval(estimate: ConfidenceInterval | undefined, format: (value: number) => string): string {
  if (estimate === undefined) return 'unknown'
  const { value, high } = estimate
  return high === undefined ? format(value) : `${format(value)} ±${format(high - value)}`
}

function formatPercent(share = 0): string {
  return `${Math.round(share * 100)} %`
}
