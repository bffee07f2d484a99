import type { Candidate } from './candidate.ts'

/**
 * One candidate for each path. One that the user named wins, since then being unusable is a failure.
 */
export function withoutRepetition(candidates: readonly Candidate[]): Candidate[] {
  const found = new Map<string, Candidate>()
  for (const candidate of candidates) {
    const known = found.get(candidate.path)
    if (known === undefined || (candidate.named && !known.named)) found.set(candidate.path, candidate)
  }
  return [...found.values()]
}
