import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { areTotalsEqual, maxTotals } from '../../core/pricing/totals.ts'
import { openExistingRegularFile } from '../fs/regular-file.ts'
import type { KnownSummary } from '../ledger/known-summary.ts'
import type { DocumentState, FolderHistory, SharedHistory } from './folder-history.ts'

/** Which folder has the result of a document that counts. */
export interface Ownership {
  readonly owner: FolderHistory
  /** The folders with another summary of the document, which nothing supersedes. */
  readonly losers: readonly FolderHistory[]
}

/**
 * Chooses, for each document, the folder whose result counts. Leaves out documents that only one folder knows.
 *
 * A folder that has seen the result of another one, because it was merged before or is a later copy, supersedes it.
 * Among the others, a summary counts more than none, a summary from the API more than a simulated one, then one whose
 * document has not changed since, then the later one.
 * @param folders the target first
 */
export async function chooseOwners(
  folders: readonly FolderHistory[],
  { cwd }: Pick<SharedHistory, 'cwd'>,
): Promise<ReadonlyMap<string, Ownership>> {
  const owners = new Map<string, Ownership>()
  const [target] = folders
  const seen = new Set<string>()
  for (const folder of folders)
    for (const path of folder.documents.keys()) {
      if (seen.has(path)) continue
      seen.add(path)
      const involved = folders.filter(
        (other) => other.documents.has(path) || (other !== folder && supersedes(other, folder, path)),
      )
      if (involved.length === 1) continue
      const current = involved.filter(
        (one) => !involved.some((other) => other !== one && supersedes(other, one, path)),
      )
      const candidates = (current.length === 0 ? involved : current).map((one) => toCandidate(one, path))
      const best = await chooseBest(candidates, resolve(cwd, path))
      const keepsTarget =
        best.state?.summary === undefined && target?.documents.get(path)?.summary !== undefined
      const owner = keepsTarget ? target : best.folder
      const known = owner.documents.get(path)?.summary?.known
      owners.set(path, {
        owner,
        losers: candidates.flatMap(({ folder, state }) => {
          if (folder === owner || state?.summary === undefined) return []
          // The owner has replaced it.
          if (owner.lineIds.has(state.summary.id)) return []
          return isConflict(state.summary.known, known) ? [folder] : []
        }),
      })
    }
  return owners
}

interface Candidate {
  readonly folder: FolderHistory
  readonly state: DocumentState | undefined
}

function toCandidate(folder: FolderHistory, path: string): Candidate {
  return { folder, state: folder.documents.get(path) }
}

/** Whether a folder has the last result that another folder has of a document, and a later one. */
function supersedes(folder: FolderHistory, other: FolderHistory, path: string): boolean {
  const tip = other.documents.get(path)?.tip
  if (tip === undefined || folder.documents.get(path)?.tip.id === tip.id) return false
  if (folder.lineIds.has(tip.id)) return true
  // Compaction removes superseded lines, but not their totals.
  const [copy, otherCopy] = [folder.runs.get(tip.run), other.runs.get(tip.run)]
  if (copy === undefined || otherCopy === undefined || copy.compacted.length === 0) return false
  return areTotalsEqual(maxTotals(copy.totals, otherCopy.totals), copy.totals)
}

/** Whether a summary must be kept although another one counts. What a simulator replied is not worth it. */
function isConflict(loser: KnownSummary, winner: KnownSummary | undefined): boolean {
  return loser.output.sha256 !== winner?.output.sha256 && rankOrigin(loser) >= rankOrigin(winner)
}

async function chooseBest(candidates: readonly Candidate[], file: string): Promise<Candidate> {
  const summaries = new Set(candidates.map(({ state }) => state?.summary?.id))
  const hash = summaries.size > 1 ? await hashDocument(file, candidates) : undefined
  const rank = ({ state }: Candidate): readonly (number | string)[] => [
    state?.summary === undefined ? 0 : 1,
    rankOrigin(state?.summary?.known),
    hash !== undefined && state?.summary?.known.sha256 === hash ? 1 : 0,
    state?.summary?.endedAt ?? '',
    state?.tip.at ?? '',
    // Two folders without a common history, in any order.
    state?.tip.id ?? '',
  ]
  return candidates.reduce((best, one) => (isGreater(rank(one), rank(best)) ? one : best))
}

/** A higher number for a reply that counts more: from the API, from a server that simulates it, or simulated. */
function rankOrigin(known: KnownSummary | undefined): number {
  if (known?.simulatedBy === 'run') return 0
  return known?.simulatedBy === 'server' ? 1 : 2
}

function isGreater(a: readonly (number | string)[], b: readonly (number | string)[]): boolean {
  const index = a.findIndex((value, n) => value !== b[n])
  return index >= 0 && (a[index] ?? 0) > (b[index] ?? 0)
}

/**
 * Returns the SHA-256 of a document; undefined if it cannot be read, or if its size shows that no folder has a summary
 * of its present content.
 */
async function hashDocument(file: string, candidates: readonly Candidate[]): Promise<string | undefined> {
  try {
    const handle = await openExistingRegularFile(file)
    if (handle === undefined) return undefined
    try {
      const { size } = await handle.stat()
      if (!candidates.some(({ state }) => state?.summary?.known.size === size)) return undefined
      const digest = createHash('sha256')
      for await (const piece of handle.createReadStream({ autoClose: false })) digest.update(piece as Buffer)
      return digest.digest('hex')
    } finally {
      await handle.close()
    }
  } catch {
    return undefined
  }
}
