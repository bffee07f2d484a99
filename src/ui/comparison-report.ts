import type { Estimate } from '../core/estimate/confidence-interval.ts'
import type { ArmSummary, Ratios } from '../core/report/comparison.ts'
import type { Judgement, Score } from '../core/report/pairwise.ts'
import { printable } from '../core/text/escape-control.ts'
import { duration } from '../core/text/format-duration.ts'
import { whole } from '../core/text/format-number.ts'
import { codeBlock, inline, table } from './markdown.ts'
import { textTable } from './table.ts'

/** One arm as it is shown. */
export interface ShownArm {
  /** `summarize@v1, claude-haiku-5-5`. */
  readonly name: string
  readonly summary: ArmSummary
  /** Beside the first arm; undefined for that itself. */
  readonly ratios: Ratios | undefined
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
export interface ShownJudge {
  /** `judge@v1, claude-opus-5-5`. */
  readonly name: string
  readonly scores: readonly { readonly name: string; readonly score: Score }[]
}

/** The arms of a comparison as tables of text. */
export function comparisonTable(arms: readonly ShownArm[], judge?: ShownJudge): string {
  return tablesOf(arms, judge)
    .map((rows) => textTable(rows))
    .join('\n')
}

const note =
  'Means per document, with the interval that holds the true mean 95 times in a hundred; beside the first arm, document by document, how many times as much.'
const judgeNote =
  'A text is better where the judge preferred it in both orders; preferred: how often that was this arm, of those that one of the two won. Where the interval holds 50 %, the sample shows no difference.'

/** The same in Markdown, and what it means. */
export function comparisonMarkdown(arms: readonly ShownArm[], judge?: ShownJudge): string {
  const tables = tablesOf(arms, judge).map(([head = [], ...rows]) =>
    table(
      head.map(inline),
      rows.map((row) => row.map(inline)),
    ),
  )
  return [...tables, `${comparisonNote(judge)}\n`].join('\n')
}

/** What the tables mean. */
export function comparisonNote(judge: ShownJudge | undefined): string {
  return judge === undefined ? note : `${note} ${judgeNote}`
}

/** A document, what each arm made of it, and what was said of that. */
export interface SideBySide {
  readonly path: string
  /** In the order of the arms; undefined where an arm made nothing. */
  readonly texts: readonly { readonly name: string; readonly text: string | undefined }[]
  /** With the judge's answers where the arm's text stood first, and second. */
  readonly judgements: readonly {
    readonly name: string
    readonly judgement: Judgement
    readonly texts: readonly string[]
  }[]
}

/** The texts of all arms below each other, document by document, in Markdown. */
export function textsMarkdown(documents: readonly SideBySide[]): string {
  return documents
    .map(({ path, texts, judgements }) => {
      const parts = texts.map(
        ({ name, text }) => `**${inline(name)}**\n\n${text === undefined ? '(nothing)' : codeBlock(text)}`,
      )
      for (const { name, judgement, texts } of judgements) {
        parts.push(`**The judge: ${inline(name)} ${judgementWords[judgement]}**`)
        for (const [n, text] of texts.entries())
          parts.push(
            `Standing ${n === 0 ? 'first' : 'second'}:\n\n${text === '' ? '(nothing)' : codeBlock(text)}`,
          )
      }
      return `## ${inline(path)}\n\n${parts.join('\n\n')}\n`
    })
    .join('\n')
}

export const judgementWords = {
  won: 'is better',
  lost: 'is worse',
  tied: 'is as good',
  changed: 'was preferred, or not, for its place',
  failed: 'was not judged: no verdict',
} as const satisfies Record<Judgement, string>

type Table = readonly (readonly string[])[]

/** Rows of cells, the first of them names: what each arm came to, and the others beside the first. */
export function tablesOf(arms: readonly ShownArm[], judge: ShownJudge | undefined): Table[] {
  const [first, ...others] = arms
  const beside = [`against ${printable(first?.name ?? '')}`, 'cost', 'latency', 'words']
  return [
    [header, ...arms.map(rowOf)],
    [beside, ...others.map(ratioRowOf)],
    ...(judge === undefined ? [] : [judgedOf(judge)]),
  ]
}

function judgedOf({ name, scores }: ShownJudge): Table {
  const head = [
    `by ${printable(name)}`,
    'better',
    'worse',
    'as good',
    'by its place',
    'no verdict',
    'preferred',
  ]
  const rows = scores.map(({ name, score: { won, lost, tied, changed, failed, preferred } }) => [
    printable(name),
    ...[won, lost, tied, changed, failed].map(String),
    preferred === undefined
      ? 'none won'
      : `${percent(preferred.value)} (${percent(preferred.low)}–${percent(preferred.high)})`,
  ])
  return [head, ...rows]
}

function ratioRowOf({ name, ratios }: ShownArm): string[] {
  const times = (ratio: Estimate | undefined) => {
    if (ratio === undefined) return 'unknown'
    const { value, low, high } = ratio
    const bounds = low === undefined || high === undefined ? '' : ` (${low.toFixed(2)}–${high.toFixed(2)})`
    return `× ${value.toFixed(2)}${bounds}`
  }
  return [printable(name), times(ratios?.cost), times(ratios?.latency), times(ratios?.words)]
}

function rowOf({ name, summary }: ShownArm): string[] {
  const { summarized, failed, costUsd, tokensIn, tokensOut, latencyMs, words } = summary
  const share = failed.count === 0 ? '0' : `${failed.count} (${percent(failed.low)}–${percent(failed.high)})`
  return [
    printable(name),
    String(summarized),
    share,
    shown(costUsd, (usd) => `$${usd.toPrecision(3)}`),
    shown(tokensIn, whole),
    shown(tokensOut, whole),
    shown(latencyMs, duration),
    shown(words, whole),
  ]
}

/** `120 ±14`. */
function shown(estimate: Estimate | undefined, format: (value: number) => string): string {
  if (estimate === undefined) return 'unknown'
  const { value, high } = estimate
  return high === undefined ? format(value) : `${format(value)} ±${format(high - value)}`
}

function percent(share = 0): string {
  return `${Math.round(share * 100)} %`
}
