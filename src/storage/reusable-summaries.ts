import { resolve } from 'node:path'
import { stripFrontMatter } from '../core/document/front-matter.ts'
import type { QualityIssue } from '../core/document/quality-checks.ts'
import type { ReusableSummary } from '../core/document/reusable-summary.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { statDocument } from './deletion-check.ts'
import type { EarlierResults } from './earlier-results.ts'
import { hashText } from './fs/file-hash.ts'
import { type KnownSummary, locateSummary } from './ledger/known-summary.ts'
import { readOutputText } from './ledger/latest-results.ts'

/**
 * Finds the summary of another document for which the request is the same: the document was moved or copied, or two
 * documents have the same content. A prompt with `{path}` or `{name}` makes another request for each document.
 */
export interface ReusableSummaries {
  /**
   * Returns a summary for a request, unless it was edited by hand.
   * @param path of the document that needs the summary
   * @param file of that document's summary, relative to the output folder; the user may have moved the
   * summary there together with the document
   */
  find(path: string, file: string, requestHash: string): Promise<ReusableSummary | undefined>
  /** Must be called with each outcome when it is in the journal, before its file is written. */
  onPersisted(outcome: Outcome): Promise<void>
  /** Must be called with each outcome when its file is written. */
  onWritten(outcome: Outcome, file: string): void
}

export interface ReusableSummariesOptions {
  readonly summaries: ReadonlyMap<string, KnownSummary>
  readonly earlier: Pick<EarlierResults, 'isToBeRedone'>
  /** The working directory, which paths of documents are relative to. */
  readonly cwd: string
}

/** A summary of this run, or one that this run is about to replace. */
interface RunSummary {
  readonly path: string
  readonly qualityIssues?: readonly QualityIssue[] | undefined
  /** The text, until it is in its file. */
  readonly text?: string
  readonly file?: string
  /** SHA-256 of the document, which the front matter has. */
  readonly sha256: string | undefined
}

/** Creates the search for reusable summaries of one run. @param out the output folder; absolute */
export function createReusableSummaries(
  out: string,
  { summaries, earlier, cwd }: ReusableSummariesOptions,
): ReusableSummaries {
  const runSummaries = new Map<string, RunSummary>()
  let pathsByHash: Map<string, string[]> | undefined
  const sortedPaths = new Map<string, Promise<readonly string[]>>()
  /** Documents whose summary is being moved to another one. */
  const movedPaths = new Set<string>()

  /** Returns a summary as it was written; undefined if it was edited or deleted since. */
  const readUnmodified = async (known: KnownSummary, file: string) => {
    const text = await readOutputText(out, file)
    if (text === undefined || hashText(text) !== known.output.sha256) return undefined
    return stripFrontMatter(text, known)
  }
  const isGone = async (path: string) =>
    path !== '-' && (await statDocument(resolve(cwd, path))) === undefined
  const toReusable = async (
    path: string,
    text: string,
    issues: readonly string[] | undefined,
  ): Promise<ReusableSummary> => ({
    action: 'reuse',
    text,
    ...(issues !== undefined && { qualityIssues: issues as readonly QualityIssue[] }),
    from: { path, isMove: await isGone(path) },
  })
  const findInRun = async (path: string, requestHash: string) => {
    const found = runSummaries.get(requestHash)
    if (found === undefined || found.path === path) return undefined
    const { text = found.file && (await readOutputText(out, found.file)) } = found
    return text && toReusable(found.path, stripFrontMatter(text, found), found.qualityIssues)
  }
  /** Returns the documents with a summary for a request, first those that do not exist any more. */
  const listPaths = async (requestHash: string) => {
    pathsByHash ??= indexByRequest(summaries)
    const [gone, existing]: [string[], string[]] = [[], []]
    for (const path of pathsByHash.get(requestHash) ?? []) ((await isGone(path)) ? gone : existing).push(path)
    return [...gone, ...existing]
  }
  const findEarlier = async (path: string, file: string, requestHash: string) => {
    const paths = sortedPaths.get(requestHash) ?? listPaths(requestHash)
    sortedPaths.set(requestHash, paths)
    for (const from of await paths) {
      const known = movedPaths.has(from) ? undefined : summaries.get(from)
      if (known === undefined || from === path || earlier.isToBeRedone(known)) continue
      const text =
        (await readUnmodified(known, locateSummary(from, known))) ?? (await readUnmodified(known, file))
      if (text !== undefined) return toReusable(from, text, known.qualityIssues)
    }
    return undefined
  }
  return {
    async find(path, file, requestHash) {
      const earlierSummary = await findEarlier(path, file, requestHash)
      // A summary that is not moved would be left behind.
      if (earlierSummary?.from.isMove) {
        movedPaths.add(earlierSummary.from.path)
        return earlierSummary
      }
      return (await findInRun(path, requestHash)) || earlierSummary
    },
    async onPersisted(outcome) {
      if (outcome.status !== 'summarized') return
      const { document, requestMetadata, text, qualityIssues } = outcome
      const { path } = document
      const replaced = summaries.get(path)
      // Another document may have the content that this one had, if documents were renumbered.
      if (replaced !== undefined && replaced.requestHash !== requestMetadata.requestHash) {
        const replacedText = await readUnmodified(replaced, locateSummary(path, replaced))
        const { requestHash, sha256, qualityIssues } = replaced
        if (replacedText !== undefined && !runSummaries.has(requestHash))
          runSummaries.set(requestHash, {
            path,
            text: replacedText,
            sha256,
            qualityIssues: qualityIssues as readonly QualityIssue[] | undefined,
          })
      }
      const { requestHash, fingerprint } = requestMetadata
      runSummaries.set(requestHash, { path, text, sha256: fingerprint.sha256, qualityIssues })
    },
    onWritten(outcome, file) {
      if (outcome.status !== 'summarized') return
      const { requestHash } = outcome.requestMetadata
      const entry = runSummaries.get(requestHash)
      if (entry?.path !== outcome.document.path) return
      const { text: _, ...rest } = entry
      runSummaries.set(requestHash, { ...rest, file })
    },
  }
}

function indexByRequest(summaries: ReadonlyMap<string, KnownSummary>): Map<string, string[]> {
  const paths = new Map<string, string[]>()
  for (const [path, { isMisnamed, requestHash }] of summaries) {
    if (isMisnamed) continue
    const others = paths.get(requestHash)
    if (others === undefined) paths.set(requestHash, [path])
    else others.push(path)
  }
  return paths
}
