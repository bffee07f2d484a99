import type { ArmSummary, Ratios } from '../core/comparison.ts'
import { duration } from '../core/duration.ts'
import type { Estimate } from '../core/interval.ts'
import { printable } from '../core/printable.ts'
import { inline, quoted, table } from './markdown.ts'
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

/** The arms of a comparison as a table of text. */
export function comparisonTable(arms: readonly ShownArm[]): string {
  return tablesOf(arms)
    .map((rows) => textTable(rows))
    .join('\n')
}

/** The same in Markdown. */
export function comparisonMarkdown(arms: readonly ShownArm[]): string {
  return tablesOf(arms)
    .map(([head = [], ...rows]) =>
      table(
        head.map(inline),
        rows.map((row) => row.map(inline)),
      ),
    )
    .join('\n')
}

/** A document, and what each arm made of it. */
export interface SideBySide {
  readonly path: string
  /** In the order of the arms; undefined where an arm made nothing. */
  readonly texts: readonly { readonly name: string; readonly text: string | undefined }[]
}

/** The texts of all arms below each other, document by document, in Markdown. */
export function textsMarkdown(documents: readonly SideBySide[]): string {
  return documents
    .map(({ path, texts }) => {
      const parts = texts.map(({ name, text }) => `**${inline(name)}**\n\n${quoted(text ?? '(nothing)')}`)
      return `## ${inline(path)}\n\n${parts.join('\n\n')}\n`
    })
    .join('\n')
}

type Table = readonly (readonly string[])[]

/** What each arm came to, and the others beside the first. */
function tablesOf(arms: readonly ShownArm[]): Table[] {
  const [first, ...others] = arms
  const beside = [`against ${printable(first?.name ?? '')}`, 'cost', 'latency', 'words']
  return [
    [header, ...arms.map(rowOf)],
    [beside, ...others.map(ratioRowOf)],
  ]
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

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function percent(share = 0): string {
  return `${Math.round(share * 100)} %`
}
