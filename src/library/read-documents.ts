import { resolve } from 'node:path'
import type { Document, DocumentRef, InputProblem } from '../core/document/document.ts'
import { ExitError, UsageError } from '../errors.ts'
import type { FoundDocuments } from '../inputs/find/find-documents.ts'
import { createDocumentReader } from '../inputs/read/read-document.ts'
import { hasReaderFiles } from '../inputs/read/readers/read-in-thread.ts'
import { createLibraryRuntime } from '../runtime.ts'
import { createReadError } from './library-error.ts'
import {
  checkData,
  checkReadOptions,
  type DocumentInputs,
  type ReadDocumentsOptions,
  type ReadSettings,
  type SplitInputs,
  splitInputs,
} from './read-documents-options.ts'
import { type NamedText, takeSources, type UnreadableText } from './text-source.ts'
import { unlessAborted } from './unless-aborted.ts'

/**
 * Finds and reads documents as the command line does, for `summarizeAll`. Yields each document as a text, with an upload
 * if it is an image or has scanned pages, or with the error why it cannot be read. Reads a document only when the next
 * one is wanted. Files come first, sorted by path, then the other documents.
 *
 * The loop also throws the signal's reason and the error of the inputs.
 * @param inputs paths, directories and patterns, or documents that are not files
 * @param options what to read, and how
 * @throws TypeError immediately, if an argument is invalid
 * @throws ClaudeBatchError of type `no_input` in the loop, before the first document, if a path or pattern matches nothing
 * or no document is found
 * @throws ClaudeBatchError of type `configuration` in the loop, before the first document, if a pattern or an ignore file
 * cannot be used, or if this module was bundled
 * @throws ClaudeBatchError of type `io_error` in the loop, if the process has too many open files
 */
export function readDocuments(
  inputs: DocumentInputs,
  options: ReadDocumentsOptions = {},
): AsyncGenerator<NamedText | UnreadableText, void, undefined> {
  const settings = checkReadOptions(options)
  const stop = new AbortController()
  const documents = generateDocuments(splitInputs(inputs), settings, stop)
  const end = documents.return.bind(documents)
  return Object.assign(documents, {
    // A document that is being read would otherwise be read to its end.
    return(value: void | PromiseLike<void>) {
      stop.abort()
      return end(value)
    },
  })
}

async function* generateDocuments(
  { paths, data: items }: SplitInputs,
  settings: ReadSettings,
  stop: AbortController,
): AsyncGenerator<NamedText | UnreadableText, void, undefined> {
  const { signal, onSkip } = settings
  const { getCpuTimeMs, ...runtime } = createLibraryRuntime()
  const cwd = resolve(runtime.cwd, settings.cwd ?? '.')
  const abort = () => stop.abort()
  try {
    signal?.throwIfAborted()
    signal?.addEventListener('abort', abort, { once: true })
    if (!hasReaderFiles()) throw createReadError('configuration', bundledMessage)
    const read = createDocumentReader({
      cwd,
      getCpuTimeMs,
      encoding: settings.encoding,
      pdf: settings.pdf,
      citations: settings.citations,
      signal: stop.signal,
      onWarning: (text) => settings.onWarning?.(text),
    })
    const found =
      paths.length === 0 ? [] : await unlessAborted(findSources(paths, settings, cwd), stop.signal)
    for await (const [source, bytes] of listDocuments(found ?? [], items, stop.signal)) {
      const document = source.problem ?? (await unlessAborted(read(source, bytes), stop.signal))
      if (stop.signal.aborted || document === undefined) break
      if (!('action' in document)) yield toText(document)
      else if (document.action === 'fail') yield toUnreadableText(source, document)
      else onSkip?.({ type: document.type, message: document.message, count: 1, ids: [source.path] })
    }
    signal?.throwIfAborted()
  } catch (error) {
    signal?.throwIfAborted()
    const isUsage = error instanceof UsageError
    if (!isUsage && !(error instanceof ExitError)) throw error
    throw createReadError(isUsage ? 'configuration' : 'io_error', withOptionNames(error.message))
  } finally {
    signal?.removeEventListener('abort', abort)
    stop.abort()
  }
}

/** Readers run in a thread, which is a file of the package. */
const bundledMessage =
  'claude-batch/documents does not find the files of its package; do not bundle it (esbuild: --external:claude-batch/documents), and let Deno read them (--allow-read)'

async function findSources(
  paths: readonly string[],
  settings: ReadSettings,
  cwd: string,
): Promise<readonly DocumentRef[]> {
  const { extensions, hidden = false, follow = false, ignore: ignoreFiles = true, exclude } = settings
  // A program has no stdin that it means by `-`.
  const inputs = paths.map((text) => ({ text: text === '-' ? './-' : text, literal: false }))
  const { findDocuments } = await import('../inputs/find/find-documents.ts')
  const found = await findDocuments(inputs, {
    cwd,
    env: createLibraryRuntime().env,
    extensions,
    exclude: exclude.map((pattern) => ({ pattern, folder: cwd })),
    hidden,
    follow,
    ignoreFiles,
  })
  for (const text of found.warnings) settings.onWarning?.(text)
  reportSkipped(found, settings)
  const missing = [...found.missingInputs, ...found.unmatchedPatterns]
  if (missing.length > 0)
    throw createReadError('no_input', `nothing matches ${quoteNames(missing)}; check the path or pattern`)
  if (found.earlierOutputs.length > 0 && !found.foundAnything)
    throw createReadError(
      'no_input',
      `by name and location, ${quoteNames(found.earlierOutputs)} comes from an earlier run; rename it, or pass { name, data }`,
    )
  if (found.sources.length === 0)
    throw createReadError(
      'no_input',
      `no documents found in ${quoteNames(paths)}; check ext, exclude, hidden and ignore`,
    )
  return found.sources
}

function reportSkipped({ skipped, notRead }: FoundDocuments, { onSkip }: ReadSettings): void {
  for (const [type, { count, paths: ids }] of skipped)
    onSkip?.({ type, message: skipMessages[type] ?? type, count, ids })
  for (const [extension, count] of notRead) {
    const message = extension === '' ? 'files without an extension' : `.${extension} is not in ext`
    onSkip?.({ type: 'extension', message, count, ids: [] })
  }
}

const skipMessages: Readonly<Record<string, string>> = {
  excluded: 'excluded by a pattern',
  excluded_folder: 'folders excluded by a pattern',
  duplicate: 'found more than once',
}

/** Lists the documents: files, then those that are not files, with their content. */
async function* listDocuments(
  files: readonly DocumentRef[],
  items: SplitInputs['data'],
  stop: AbortSignal,
): AsyncGenerator<readonly [DocumentRef, Buffer?]> {
  for (const file of files) yield [file]
  for await (const { item } of takeSources(items, stop)) {
    checkData(item)
    const { name, data } = item
    // The thread would otherwise get a copy of the whole buffer that a small view shares with others.
    const bytes = data.byteLength === data.buffer.byteLength ? Buffer.from(data.buffer) : Buffer.from(data)
    yield [{ index: 0, path: name, namedByUser: true }, bytes]
  }
}

function toText({ ref, text, upload, marks }: Document): NamedText {
  return {
    id: ref.path,
    text,
    ...(upload !== undefined && { upload }),
    ...(marks !== undefined && { marks }),
  }
}

function toUnreadableText({ path }: DocumentRef, { type, message }: InputProblem): UnreadableText {
  const error = { status: null, type, message: withOptionNames(message), transient: false, requestId: null }
  return { id: path, error }
}

/** Replaces the flags in a message with the options of `readDocuments`. */
function withOptionNames(message: string): string {
  return message
    .replace(', or --files-from with find', ', or a list of paths')
    .replace(/--encoding (windows-1252|auto)\b/g, "encoding: '$1'")
    .replace(/--(encoding|concurrency)\b/g, 'the option $1')
}

function quoteNames(names: readonly string[]): string {
  const quoted = names.slice(0, 3).map((name) => JSON.stringify(name))
  return `${quoted.join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`
}
