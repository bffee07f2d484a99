import { resolve } from 'node:path'
import type { Citation } from '../core/citations/citation.ts'
import { removeFootnotes } from '../core/citations/format-footnotes.ts'
import { stripFrontMatter } from '../core/document/front-matter.ts'
import type { QualityIssue } from '../core/document/quality-checks.ts'
import type { ReusableSummary } from '../core/document/reusable-summary.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { statDocument } from './deletion-check.ts'
import type { EarlierResults } from './earlier-results.ts'
import { hashText } from './fs/file-hash.ts'
import type { CitationIndex } from './ledger/citation-index.ts'
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
  /** Finds the citations of summaries; undefined if those of the run have none. */
  readonly citationIndex?: CitationIndex | undefined
}

/** A summary without front matter and footnotes. */
interface Answer {
  readonly text: string
  readonly citations?: readonly Citation[] | undefined
}

/** A summary of this run, or one that this run is about to replace. */
interface RunSummary {
  readonly path: string
  readonly qualityIssues?: readonly QualityIssue[] | undefined
  /** The text and its citations, until they are in its file and in the ledger. */
  readonly answer?: Answer
  readonly file?: string
  /** SHA-256 of the document, which the front matter has. */
  readonly sha256: string | undefined
}

/** Creates the search for reusable summaries of one run. @param out the output folder; absolute */
export function createReusableSummaries(
  out: string,
  { summaries, earlier, cwd, citationIndex }: ReusableSummariesOptions,
): ReusableSummaries {
  const runSummaries = new Map<string, RunSummary>()
  let pathsByHash: Map<string, string[]> | undefined
  const sortedPaths = new Map<string, Promise<readonly string[]>>()
  /** Documents whose summary is being moved to another one. */
  const movedPaths = new Set<string>()

  const toAnswer = async (file: string, entry: Parameters<typeof stripFrontMatter>[1]): Promise<Answer> => {
    const text = stripFrontMatter(file, entry)
    const citations = await citationIndex?.find(hashText(file))
    return citations === undefined ? { text } : { text: removeFootnotes(text, citations), citations }
  }
  /** Returns the answer in a summary; undefined if it was edited or deleted since. */
  const readUnmodified = async (known: KnownSummary, file: string) => {
    const text = await readOutputText(out, file)
    if (text === undefined || hashText(text) !== known.output.sha256) return undefined
    return toAnswer(text, known)
  }
  const isGone = async (path: string) =>
    path !== '-' && (await statDocument(resolve(cwd, path))) === undefined
  const toReusable = async (
    path: string,
    { text, citations }: Answer,
    issues: readonly string[] | undefined,
  ): Promise<ReusableSummary> => ({
    action: 'reuse',
    text,
    ...(citations !== undefined && { citations }),
    ...(issues !== undefined && { qualityIssues: issues as readonly QualityIssue[] }),
    from: { path, isMove: await isGone(path) },
  })
  const findInRun = async (path: string, requestHash: string) => {
    const found = runSummaries.get(requestHash)
    if (found === undefined || found.path === path) return undefined
    const file = found.file && (await readOutputText(out, found.file))
    const answer = found.answer ?? (file && (await toAnswer(file, found)))
    return answer && toReusable(found.path, answer, found.qualityIssues)
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
      const answer =
        (await readUnmodified(known, locateSummary(from, known))) ?? (await readUnmodified(known, file))
      if (answer !== undefined) return toReusable(from, answer, known.qualityIssues)
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
      const { document, requestMetadata, text, citations, qualityIssues } = outcome
      const { path } = document
      const replaced = summaries.get(path)
      // Another document may have the content that this one had, if documents were renumbered.
      if (replaced !== undefined && replaced.requestHash !== requestMetadata.requestHash) {
        const answer = await readUnmodified(replaced, locateSummary(path, replaced))
        const { requestHash, sha256, qualityIssues } = replaced
        if (answer !== undefined && !runSummaries.has(requestHash))
          runSummaries.set(requestHash, {
            path,
            answer,
            sha256,
            qualityIssues: qualityIssues as readonly QualityIssue[] | undefined,
          })
      }
      const { requestHash, fingerprint } = requestMetadata
      const answer = { text, citations }
      runSummaries.set(requestHash, { path, answer, sha256: fingerprint.sha256, qualityIssues })
    },
    onWritten(outcome, file) {
      if (outcome.status !== 'summarized') return
      const { requestHash } = outcome.requestMetadata
      const entry = runSummaries.get(requestHash)
      if (entry?.path !== outcome.document.path) return
      const { answer: _, ...rest } = entry
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
