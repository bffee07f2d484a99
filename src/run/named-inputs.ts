import { resolve } from 'node:path'
import { defaultExtensions } from '../config/default-extensions.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { DocumentRef } from '../core/document/document.ts'
import { isInside } from '../core/document/document-path.ts'
import { CommandLineError, ExitError } from '../errors.ts'
import { readFilesFrom } from '../inputs/find/files-from.ts'
import { type FoundDocuments, findDocuments } from '../inputs/find/find-documents.ts'
import type { Input } from '../inputs/find/inspect-input.ts'
import type { Runtime } from '../runtime.ts'
import { printMessage } from '../ui/print-message.ts'

/**
 * Returns the inputs from the arguments and `--files-from`.
 * @throws UsageError if there are none or they conflict
 */
export async function parseInputs(
  args: readonly string[],
  { filesFrom, null: nul }: SummarizeOptions,
  runtime: Runtime,
): Promise<Input[]> {
  if (args.includes('-') && filesFrom === '-')
    throw new CommandLineError('stdin can be a document (-) or a list (--files-from -), not both')
  if (args.length === 0 && filesFrom === undefined) {
    throw new CommandLineError(
      'no input; name files, directories or patterns (for example: claude-batch summarize ./docs)',
    )
  }
  if ((args.includes('-') || filesFrom === '-') && runtime.stdin.isTTY) {
    throw new CommandLineError(
      'stdin is a terminal; pipe something into it (for example: cat notes.md | claude-batch summarize -)',
    )
  }
  const listed =
    filesFrom === undefined ? [] : await readFilesFrom(filesFrom, nul, runtime.cwd, runtime.stdin)
  return [
    ...args.map((text) => ({ text, literal: false })),
    ...listed.map((text) => ({ text, literal: true })),
  ]
}

/**
 * Finds the documents of the inputs, and prints warnings about them before any request is sent.
 * @param out the output folder; undefined for stdout
 * @throws ExitError `noInput` if an input does not exist or there are no inputs; UsageError
 */
export async function findInputs(
  inputs: readonly Input[],
  options: SummarizeOptions,
  runtime: Runtime,
  out: string | undefined,
): Promise<FoundDocuments> {
  const { cwd, env } = runtime
  const found = await findDocuments(inputs, {
    cwd,
    env,
    out,
    extensions: options.ext ?? [...defaultExtensions, ...Object.keys(options.convert ?? {})],
    exclude: (options.exclude ?? []).map(({ pattern, folder = cwd }) => ({ pattern, folder })),
    // The run must not summarize files that it writes itself.
    writtenFiles: [options.report, options.log, options.digest].flatMap((file) =>
      file === undefined || file === '-' ? [] : resolve(cwd, file),
    ),
    hidden: options.hidden,
    follow: options.follow,
    ignoreFiles: options.ignore,
  })
  const { missingInputs, unmatchedPatterns, earlierOutputs: earlier, warnings } = found
  if (!found.foundAnything) throw new ExitError('noInput', formatNothingFound(inputs, earlier))
  if (missingInputs.length > 0)
    throw new ExitError(
      'noInput',
      `nothing matches ${formatExamples([...missingInputs, ...unmatchedPatterns])}; correct or remove these inputs (nothing was sent or written)`,
    )
  const unmatchedMessages = unmatchedPatterns.map((pattern) => `no files match ${JSON.stringify(pattern)}`)
  for (const text of options.quiet ? unmatchedMessages : [...unmatchedMessages, ...warnings])
    printMessage(runtime, text)
  return found
}

/** Returns the error message for inputs that do not exist or are outputs of an earlier run. */
function formatNothingFound(inputs: readonly Input[], earlier: readonly string[]): string {
  const unmatched = inputs.map(({ text }) => text).filter((text) => !earlier.includes(text))
  const parts: string[] = []
  if (unmatched.length > 0)
    parts.push(
      `nothing matches ${formatExamples(unmatched)}${earlier.length === 0 ? '; check the path or pattern' : ''}`,
    )
  if (earlier.length > 0) {
    const [isOutput, them] =
      earlier.length === 1 ? ['appears to be an output', 'it'] : ['appear to be outputs', 'them']
    parts.push(
      `${formatExamples(earlier)} ${isOutput} of an earlier run, by name and location; to summarize ${them} anyway, rename ${them} or use stdin`,
    )
  }
  return parts.length === 0 ? 'the list of --files-from is empty' : parts.join('; ')
}

function formatExamples(texts: readonly string[]): string {
  const names = texts.slice(0, 3).map((text) => JSON.stringify(text))
  return `${names.join(', ')}${texts.length > 3 ? ` and ${texts.length - 3} more` : ''}`
}

/** Returns the absolute paths of the inputs, without stdin. */
export function getInputRoots(inputs: readonly Input[], { cwd }: Pick<Runtime, 'cwd'>): string[] {
  return inputs.filter(({ text }) => text !== '-').map(({ text }) => resolve(cwd, text))
}

/** Returns the absolute paths of the inputs in which there is no document, patterns included. */
export function findEmptyFolders(
  inputs: readonly Input[],
  sources: readonly DocumentRef[],
  runtime: Pick<Runtime, 'cwd'>,
): string[] {
  const { cwd } = runtime
  return getInputRoots(inputs, runtime).filter(
    (root) => !sources.some(({ path }) => isInside(resolve(cwd, path), root)),
  )
}
