import { basename, dirname, join, relative, resolve } from 'node:path'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { DocumentRef } from '../core/document/document.ts'
import { computeCwdFromOut, toDocumentPath } from '../core/document/document-path.ts'
import { assignOutputPaths, stripSummarySuffix } from '../core/document/output-path.ts'
import { describeForbiddenName } from '../core/document/windows-names.ts'
import { isDigest } from '../core/run/is-digest.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { UsageError } from '../errors.ts'
import type { NamedFile } from '../storage/fs/named-file.ts'
import { statFile } from '../storage/fs/no-follow-fs.ts'
import { isPathAllowed } from '../storage/fs/path-length.ts'
import { openExistingRegularFile } from '../storage/fs/regular-file.ts'
import { readLedger } from '../storage/ledger/read-ledger.ts'
import { ledgerPath } from '../storage/output-folder.ts'

/**
 * The location of digests: the named file or, with `--digest-per folder`, a file in each folder of summaries.
 */
export interface DigestFileOptions {
  readonly name: string
  /** The output folder. */
  readonly out: string
  readonly sources: readonly DocumentRef[]
  readonly cwd: string
  readonly options: Pick<SummarizeOptions, 'digestPer' | 'force'>
}

/**
 * Creates a check of the file that `--digest` names: it may be overwritten only if the ledger lists it as a
 * digest. A digest that was modified by hand passes this check, so that the summaries are written first;
 * `writeDigests` reports it.
 */
export function createDigestCheck({
  name,
  out,
  cwd,
  options,
}: DigestFileOptions): NamedFile['checkOverwrite'] {
  return async (file) => {
    if (options.force || (await readTextOrEmpty(file)) === '') return undefined
    const isKnownDigest = await loadDigestCheck(out, cwd)
    return isKnownDigest(resolve(cwd, name)) ? undefined : untrackedMessage
  }
}

/**
 * Checks the digest files of all folders, before any request is sent.
 * @throws UsageError for an invalid name, or if another file has this name
 */
export async function checkFolderDigests({
  name,
  out,
  sources,
  cwd,
  options: { force },
}: DigestFileOptions): Promise<void> {
  if (basename(name) !== name || name === '-' || stripSummarySuffix(name) !== undefined)
    throw new UsageError(
      `--digest ${name}: --digest-per folder needs a file name without a folder, such as digest.md`,
    )
  const reason = describeForbiddenName(name)
  if (reason !== undefined) throw new UsageError(`--digest ${name}: ${reason}`)
  const getOutputPaths = assignOutputPaths(sources, { caseInsensitive: false, existingSummaries: [] })
  const folders = new Set(
    sources
      .map(({ path }) => getOutputPaths(path).summary)
      .filter((path) => isPathAllowed(out, path))
      .map((path) => dirname(path)),
  )
  let isKnownDigest: Awaited<ReturnType<typeof loadDigestCheck>> | undefined
  for (const folder of folders) {
    const file = join(out, folder, name)
    if (!isPathAllowed(out, `${folder}/${name}`))
      throw new UsageError(
        `--digest ${name}: ${escapeControlChars(relative(cwd, file))} would be longer than the file system allows; use a shorter name or a shorter --out`,
      )
    const stats = statFile(out, file)
    if (stats === undefined || (stats.isFile() && stats.size === 0)) continue
    isKnownDigest ??= await loadDigestCheck(out, cwd)
    // A link in an output folder is not followed: other users may have created it.
    const reason = stats.isFile()
      ? force || isKnownDigest(file)
        ? undefined
        : untrackedMessage
      : 'this is not a regular file'
    if (reason !== undefined)
      throw new UsageError(
        `--digest ${name}: ${escapeControlChars(relative(cwd, file))}: ${reason}; choose another name or move this file`,
      )
  }
}

const untrackedMessage =
  'the file exists and is not a digest of this output folder; use --force to overwrite it'

/** Returns the content of a file; '' if it does not exist. @throws fs errors */
export async function readTextOrEmpty(file: string): Promise<string> {
  const handle = await openExistingRegularFile(file)
  if (handle === undefined) return ''
  try {
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

/** Returns a predicate: whether a file is a digest that the ledger of the output folder lists. */
async function loadDigestCheck(out: string, cwd: string): Promise<(file: string) => boolean> {
  const { summaries } = await readLedger(ledgerPath(out), computeCwdFromOut(out, cwd))
  return (file) => isDigest(summaries.get(toDocumentPath(file, cwd))?.run?.prompt)
}
