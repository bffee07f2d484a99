import { type ConfidenceInterval, computeShareInterval } from '../estimate/confidence-interval.ts'

/** Which of two texts a judge prefers, by where they stood. */
export type JudgeVerdict = 'first' | 'second' | 'tie'

/** The last line of an answer, and no other; undefined where it is no verdict, which is never guessed. */
export function parseVerdict(answer: string): JudgeVerdict | undefined {
  const line = answer.trimEnd().split('\n').at(-1)?.trim()
  const word = /^VERDICT: (FIRST|SECOND|TIE)$/.exec(line ?? '')?.[1]
  return word === undefined ? undefined : (word.toLowerCase() as JudgeVerdict)
}

/** A judge's verdict on a text compared with another, in both orders; `changed`: it preferred a position, not a text. */
export type PairwiseResult = 'won' | 'lost' | 'tied' | 'changed' | 'failed'

/**
 * Judges prefer texts for where they stand, so a text wins only where it does so in both places.
 * @param asFirst where it stood first, and `asSecond` where it stood second
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

/** Verdicts on a variant compared with the first one. */
export interface PairwiseScore extends Readonly<Record<PairwiseResult, number>> {
  /** Of those that one of them won, how many it did; undefined where there are none. */
  readonly winRate: ConfidenceInterval | undefined
}

export function computeScore(results: readonly PairwiseResult[]): PairwiseScore {
  const counts = { won: 0, lost: 0, tied: 0, changed: 0, failed: 0 }
  for (const result of results) counts[result]++
  const decided = counts.won + counts.lost
  return { ...counts, winRate: decided === 0 ? undefined : computeShareInterval(counts.won, decided) }
}
