import { basename, dirname, join, relative, resolve } from 'node:path'
import type { SummarizeOptions } from '../config/flags.ts'
import type { Source } from '../core/document/document.ts'
import { sourcePath } from '../core/document/document-path.ts'
import { outputPaths, stemOf } from '../core/document/output-path.ts'
import { printable } from '../core/text/escape-control.ts'
import { UsageError } from '../errors.ts'
import type { NamedFile } from '../storage/fs/named-file.ts'
import { statFile } from '../storage/fs/output-files.ts'
import { isPathAllowed } from '../storage/fs/path-length.ts'
import { openRegular } from '../storage/fs/regular-file.ts'
import { isDigest, readLedger } from '../storage/ledger/ledger.ts'
import { ledgerIn } from '../storage/output-folder.ts'
import { seenFromOut } from './report-writer.ts'

/** Where digests go: to the file that is named, or with `--digest-per folder` to one in each folder of summaries. */
export interface DigestPlaces {
  readonly name: string
  /** The output folder. */
  readonly out: string
  readonly sources: readonly Source[]
  readonly cwd: string
  readonly options: Pick<SummarizeOptions, 'digestPer' | 'force'>
}

/**
 * Says why a digest may not replace the file that `--digest` names: the output folder does not know it as a digest.
 * One that is known and was edited by hand is not an objection: it is reported when the digest is due, and the
 * summaries are made.
 */
export function objectionToDigest({ name, out, cwd, options }: DigestPlaces): NamedFile['objection'] {
  return async (file) => {
    if (options.force || (await contentOf(file)) === '') return undefined
    const isKnown = await knownDigests(out, cwd)
    return isKnown(resolve(cwd, name)) ? undefined : foreign
  }
}

/**
 * Checks the digests of folders, before anything is sent.
 * @throws UsageError for a name that is none, or where something else has it
 */
export async function checkFolderDigests({
  name,
  out,
  sources,
  cwd,
  options: { force },
}: DigestPlaces): Promise<void> {
  if (basename(name) !== name || name === '-' || stemOf(name) !== undefined)
    throw new UsageError(`--digest ${name}: with --digest-per folder it is a name, such as digest.md`)
  const paths = sources.map(({ path }) => path)
  const placeFor = outputPaths(paths, { foldsCase: false, earlier: [] })
  const folders = new Set(
    paths
      .map((path) => placeFor(path).summary)
      .filter((it) => isPathAllowed(out, it))
      .map((it) => dirname(it)),
  )
  let isKnown: Awaited<ReturnType<typeof knownDigests>> | undefined
  for (const folder of folders) {
    const place = join(out, folder, name)
    if (!isPathAllowed(out, `${folder}/${name}`))
      throw new UsageError(
        `--digest ${name}: ${printable(relative(cwd, place))} would be longer than the file system allows; give a shorter name, or a shorter --out`,
      )
    const stats = statFile(out, place)
    if (stats === undefined || (stats.isFile() && stats.size === 0)) continue
    isKnown ??= await knownDigests(out, cwd)
    // A link in an output folder may be anybody's: it is not followed.
    const why = stats.isFile()
      ? force || isKnown(place)
        ? undefined
        : foreign
      : 'this is not a regular file'
    if (why !== undefined)
      throw new UsageError(
        `--digest ${name}: ${printable(relative(cwd, place))}: ${why}; give another name, or move this one away`,
      )
  }
}

const foreign = 'a file is there that is not a digest of this output folder (--force replaces it)'

/** What a digest would replace; '' where nothing is. @throws the system's error */
export async function contentOf(file: string): Promise<string> {
  const handle = await openRegular(file)
  if (handle === undefined) return ''
  try {
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

/** Whether an output folder made the file as a digest. */
async function knownDigests(out: string, cwd: string): Promise<(file: string) => boolean> {
  const { made } = await readLedger(ledgerIn(out), seenFromOut(out, cwd))
  return (file) => isDigest(made.get(sourcePath(file, cwd))?.run?.prompt)
}
