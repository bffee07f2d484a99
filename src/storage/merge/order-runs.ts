import type { FolderHistory, SharedHistory } from './folder-history.ts'

/** A run whose lines are next in the merged ledger. */
interface NextRun {
  readonly run: string
  /** The folders whose next segment belongs to this run. */
  readonly copies: readonly FolderHistory[]
}

/**
 * Yields the segments of all ledgers in an order that is right for each of them: a folder's own order is kept, even if
 * its clock was set back. Among the runs of several folders, the earlier start comes first. Segments of the same run are
 * yielded together.
 */
export function* orderRuns(
  folders: readonly FolderHistory[],
  runs: SharedHistory['runs'],
): Generator<NextRun> {
  const positions = new Map(folders.map((folder) => [folder, 0]))
  const lastPositions = new Map(
    folders.map((folder) => [folder, new Map(folder.segments.map((run, position) => [run, position]))]),
  )
  /** How many folders still have a run ahead of them. */
  const remaining = new Map<string, number>()
  for (const positionsByRun of lastPositions.values())
    for (const run of positionsByRun.keys()) remaining.set(run, (remaining.get(run) ?? 0) + 1)
  for (;;) {
    const heads = new Map<string, FolderHistory[]>()
    for (const [folder, position] of positions) {
      const run = folder.segments[position]
      if (run !== undefined) heads.set(run, [...(heads.get(run) ?? []), folder])
    }
    if (heads.size === 0) return
    const complete = [...heads].filter(([run, copies]) => copies.length === remaining.get(run))
    // Two ledgers with contradictory orders have no order that is right for both.
    const candidates = complete.length > 0 ? complete : [...heads]
    const [run, copies] = candidates.reduce((first, one) => (isEarlier(one[0], first[0], runs) ? one : first))
    yield { run, copies }
    for (const folder of copies) {
      const position = positions.get(folder) ?? 0
      if (lastPositions.get(folder)?.get(run) === position) remaining.set(run, (remaining.get(run) ?? 1) - 1)
      positions.set(folder, position + 1)
    }
  }
}

function isEarlier(a: string, b: string, runs: SharedHistory['runs']): boolean {
  const [startA, startB] = [a, b].map((run) => runs.get(run)?.start.started_at ?? '')
  return startA === startB ? a < b : (startA ?? '') < (startB ?? '')
}
