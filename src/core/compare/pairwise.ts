import { type ConfidenceInterval, computeShareInterval } from '../estimate/confidence-interval.ts'

/** Which of two texts a judge prefers, by position. */
export type JudgeVerdict = 'first' | 'second' | 'tie'

/** Parses the last line of a judge's answer. Returns undefined, never a guess, for any other format. */
export function parseVerdict(answer: string): JudgeVerdict | undefined {
  const line = answer.trimEnd().split('\n').at(-1)?.trim()
  const word = /^VERDICT: (FIRST|SECOND|TIE)$/.exec(line ?? '')?.[1]
  return word === undefined ? undefined : (word.toLowerCase() as JudgeVerdict)
}

/** A text compared with another, in both orders. `changed`: the judge preferred a position, not a text. */
export type PairwiseResult = 'won' | 'lost' | 'tied' | 'changed' | 'failed'

/**
 * Combines the preferences for both orders. Judges have a position bias, so a text wins only if it wins in
 * both.
 * @param asFirst the preference when the text came first
 * @param asSecond the preference when it came second
 * @see https://arxiv.org/abs/2306.05685, section 3.4
 */
export function combineVerdicts(
  asFirst: JudgeVerdict | undefined,
  asSecond: JudgeVerdict | undefined,
): PairwiseResult {
  if (asFirst === undefined || asSecond === undefined) return 'failed'
  if (asFirst === 'tie' || asSecond === 'tie') return 'tied'
  if (asFirst === asSecond) return 'changed'
  return asFirst === 'first' ? 'won' : 'lost'
}

/** How often a variant won, lost or tied, compared with the first one. */
export interface PairwiseScore extends Readonly<Record<PairwiseResult, number>> {
  /** The share of wins among wins and losses; undefined if there are neither. */
  readonly winRate: ConfidenceInterval | undefined
}

export function computeScore(results: readonly PairwiseResult[]): PairwiseScore {
  const counts = { won: 0, lost: 0, tied: 0, changed: 0, failed: 0 }
  for (const result of results) counts[result]++
  const decided = counts.won + counts.lost
  return { ...counts, winRate: decided === 0 ? undefined : computeShareInterval(counts.won, decided) }
}
