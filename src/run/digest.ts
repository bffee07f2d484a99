import { hash } from 'node:crypto'
import { dirname, join, relative, resolve } from 'node:path'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { fromCitationFields } from '../core/citations/citation-fields.ts'
import { removeFootnotes } from '../core/citations/format-footnotes.ts'
import type { Document, DocumentRef } from '../core/document/document.ts'
import { computeCwdFromOut, toDocumentPath, toSlashes } from '../core/document/document-path.ts'
import { joinMarked, type MarkedText } from '../core/document/mark.ts'
import { isDigest } from '../core/run/is-digest.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { pluralize } from '../core/text/format-number.ts'
import type { SharedBudget } from '../engine/middleware/shared-budget.ts'
import { chooseExit, type Exit, ExitError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import { writeFileAtomic } from '../storage/fs/atomic-write.ts'
import { toReadError } from '../storage/fs/disk-error.ts'
import { type NamedFile, writeNamedFile } from '../storage/fs/named-file.ts'
import { readWholeFile } from '../storage/fs/no-follow-fs.ts'
import { type LatestResult, readLatestResults } from '../storage/ledger/latest-results.ts'
import { printMessage } from '../ui/print-message.ts'
import { readTextOrEmpty } from './digest-files.ts'
import { loadRequestBuilder } from './request-builder.ts'
import { run } from './run.ts'

export interface DigestOptions {
  /** The digest file as the user typed it. */
  readonly name: string
  /** The digest file; undefined if each folder gets a digest of that name. */
  readonly namedFile: NamedFile | undefined
  /** The output folder. */
  readonly out: string
  readonly sources: readonly DocumentRef[]
  readonly inputRoots: readonly string[]
  readonly log: NamedFile | undefined
  /** The rest of the budget; undefined if spending is not limited. */
  readonly budget: SharedBudget | undefined
}

/** A digest to write. */
interface Digest {
  /** The absolute path. Links are relative to its folder. */
  readonly file: string
  /** The current content of the file; undefined for a pipe or a device. */
  readonly previousText: string | undefined
  /** The summaries that the digest is about, with the paths of their documents, in order. */
  readonly summaries: readonly (readonly [path: string, result: LatestResult])[]
}

/**
 * Writes one digest of all summaries, or one per folder. A digest is made by a run whose documents consist of
 * summaries. So it is recorded in the ledger and split into chunks where needed, and it is up to date while
 * no summary changes.
 */
export async function writeDigests(
  digestOptions: DigestOptions,
  options: SummarizeOptions,
  runtime: Runtime,
  version: string,
): Promise<Exit> {
  const { cwd } = runtime
  const loadResults = () => readLatestResults(digestOptions.out, computeCwdFromOut(digestOptions.out, cwd))
  const resultsBefore = await loadResults()
  const digests = await collectDigests(digestOptions, options, runtime, resultsBefore)
  if (digests.size === 0) {
    printMessage(runtime, 'there are no summaries for a digest')
    return 'ok'
  }

  const read = async (source: DocumentRef): Promise<Document> => {
    const { text, marks } = formatSummaries(digests.get(source.path) as Digest, digestOptions.out)
    return {
      ref: source,
      text,
      marks,
      fingerprint: { size: Buffer.byteLength(text), sha256: hash('sha256', text) },
    }
  }
  const { exit } = await run(
    {
      shouldCollect: false,
      asksAboutSettings: false,
      sources: [...digests.keys()].map((path, index) => ({ index, path, namedByUser: true })),
      unmatched: [],
      requests: await loadRequestBuilder(
        {
          ...options,
          prompt: 'digest',
          instructions: undefined,
          var: undefined,
          schema: undefined,
          words: undefined,
          maxTokens: undefined,
        },
        { cwd, inputRoots: digestOptions.inputRoots },
        { chunk: 'digest', reduce: 'digest' },
      ),
      out: digestOptions.out,
      startMs: runtime.clock.now(),
      read,
      budget: digestOptions.budget,
      namedOutputs: { report: undefined, log: digestOptions.log },
    },
    // The main run has already printed its summary; this run prints one line per digest.
    {
      ...options,
      schema: undefined,
      frontMatter: false,
      report: undefined,
      sample: undefined,
      quiet: true,
      verbose: false,
      batch: false,
      // The shared budget of the summarizing run already applies this cap.
      maxCostPer: undefined,
      mode: 'live',
      yes: true,
    },
    runtime,
    version,
  )

  const resultsAfter = await loadResults()
  const exits: Exit[] = []
  for (const [path, digest] of digests) {
    const text = resultsAfter.get(path)?.text
    if (text === undefined) continue
    await writeDigest(
      digestOptions,
      digest,
      text,
      hash('sha256', `${runtime.pid} ${digest.file}`).slice(0, 12),
    )
    const isNew = resultsAfter.get(path)?.entry.ended_at !== resultsBefore.get(path)?.entry.ended_at
    if (!options.quiet)
      printMessage(
        runtime,
        `${isNew ? 'wrote the' : 'no change in the'} digest of ${pluralize(digest.summaries.length, 'summary', 'summaries')} in ${relative(cwd, digest.file)}`,
      )
    exits.push('ok')
  }
  return chooseExit([exit, ...exits])
}

/** Returns the digests by their paths in the ledger. @throws RunError if a digest was modified by hand */
async function collectDigests(
  { name, namedFile, out, sources }: DigestOptions,
  { digestPer, force }: SummarizeOptions,
  { cwd }: Runtime,
  results: ReadonlyMap<string, LatestResult>,
): Promise<ReadonlyMap<string, Digest>> {
  const groups = new Map<string, (readonly [string, LatestResult])[]>()
  for (const { path, problem } of sources) {
    // A digest of an earlier run may be among the documents; it is not a summary.
    const latest = problem === undefined ? results.get(path) : undefined
    const result = latest?.kept ?? latest
    const summary = result?.entry.output?.path
    if (result?.text === undefined || summary === undefined || isDigest(result.entry.prompt)) continue
    const file = digestPer === 'folder' ? join(out, dirname(summary), name) : resolve(cwd, name)
    const group = groups.get(file) ?? []
    groups.set(file, group)
    group.push([path, result])
  }
  const digests = new Map<string, Digest>()
  for (const [file, summaries] of groups) {
    const path = toDocumentPath(file, cwd)
    const currentText = await readCurrentText(file, { namedFile, out }).catch(
      (error: NodeJS.ErrnoException) => {
        throw toReadError(file, error)
      },
    )
    if (currentText !== undefined && currentText !== '' && currentText !== results.get(path)?.text && !force)
      throw new ExitError(
        'failed',
        `${escapeControlChars(relative(cwd, file))} was edited by hand; choose another --digest file, or use --force to overwrite it`,
      )
    digests.set(path, { file, summaries, previousText: currentText })
  }
  return digests
}

/**
 * Returns the content of a digest file: empty if it does not exist, undefined for a pipe or device.
 * @throws fs errors
 */
async function readCurrentText(
  file: string,
  { namedFile, out }: Pick<DigestOptions, 'namedFile' | 'out'>,
): Promise<string | undefined> {
  if (namedFile === undefined) return (await readWholeFile(out, file))?.toString('utf8') ?? ''
  return namedFile.stream === undefined ? readTextOrEmpty(namedFile.file) : undefined
}

/**
 * Writes the digest to its file.
 * @throws ExitError `ioError`, also if the file was changed since the digest was started
 */
async function writeDigest(
  { namedFile, out }: DigestOptions,
  { file, previousText }: Digest,
  text: string,
  nonce: string,
): Promise<void> {
  const checkUnchanged = (currentText: string | undefined) =>
    currentText === previousText ? undefined : 'the file was changed while the digest was made'
  if (namedFile !== undefined) {
    const objection = async (file: string) => checkUnchanged(await readTextOrEmpty(file))
    return writeNamedFile({ ...namedFile, checkOverwrite: objection }, text, `${nonce}-digest`)
  }
  const reason = checkUnchanged(await readCurrentText(file, { namedFile, out }))
  if (reason !== undefined)
    throw new ExitError('ioError', `${escapeControlChars(file)}: ${reason}; it was not replaced`)
  await writeFileAtomic(out, file, text, `${nonce}-digest`)
}

/** Returns the text of all summaries, each under a link that is relative to the digest. */
function formatSummaries({ file, summaries }: Digest, out: string): MarkedText {
  const folder = dirname(file)
  const formatLink = (path: string, { entry }: LatestResult) => {
    const target = toSlashes(relative(folder, join(out, entry.output?.path ?? '')))
    const name = path.replace(/[[\]]/g, '\\$&')
    return `[${name}](<${target.replace(/[<>]/g, encodeURIComponent)}>)`
  }
  const parts = summaries.map(([path, result]) => {
    const { text = '', entry } = result
    const plainText = removeFootnotes(text, (entry.citations ?? []).map(fromCitationFields))
    return {
      text: `## ${formatLink(path, result)}\n\n${plainText.trim()}\n`,
      kind: 'document',
      label: escapeControlChars(path),
    } as const
  })
  return joinMarked(parts, '\n')
}
