import { realpath } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { type DocumentRef, renumber } from '../core/document/document.ts'
import type { DocumentCount } from '../core/document/document-count.ts'
import { isInside, toSlashes } from '../core/document/document-path.ts'
import { type Shard, selectShard } from '../core/document/shard.ts'
import { pluralize } from '../core/text/format-number.ts'
import { CommandLineError } from '../errors.ts'
import type { FoundDocuments } from '../inputs/find/find-documents.ts'
import type { Runtime } from '../runtime.ts'

export interface Selection {
  /** All documents that were found, with their places in the output folder. */
  readonly found: readonly DocumentRef[]
  /** The documents of this run, numbered from 0. */
  readonly sources: readonly DocumentRef[]
  /** Documents that were found but skipped, by reason. */
  readonly skipped: ReadonlyMap<string, DocumentCount>
}

/**
 * Applies `--root`, the shard and `--limit`, in this order, to the documents that were found.
 * @param out the output folder; undefined for stdout, where `--root` has no effect
 * @throws UsageError if a document is outside `--root`
 */
export async function selectDocuments(
  { sources: found, skipped }: Pick<FoundDocuments, 'sources' | 'skipped'>,
  shard: Shard | undefined,
  { root, limit }: Pick<SummarizeOptions, 'root' | 'limit'>,
  out: string | undefined,
  { cwd }: Pick<Runtime, 'cwd'>,
): Promise<Selection> {
  const placed = root === undefined || out === undefined ? found : await placeBelow(root, found, cwd)
  const inShard = shard === undefined ? placed : selectShard(placed, shard)
  if (limit === 0) return { found: placed, sources: inShard, skipped }
  const sources = takeFirst(inShard, limit)
  const count = inShard.length - sources.length
  return {
    found: placed,
    sources,
    skipped: count === 0 ? skipped : new Map([...skipped, ['beyond_limit', { count, paths: [] }]]),
  }
}

/**
 * Returns the documents with the paths that their outputs get below the output folder: relative to `root`. Symbolic links
 * to folders do not matter: in a linked working directory, `$PWD` is another path than the one that claude-batch gets.
 */
async function placeBelow(
  root: string,
  documents: readonly DocumentRef[],
  cwd: string,
): Promise<readonly DocumentRef[]> {
  const folder = resolve(cwd, root)
  const realFolders = new Map<string, Promise<string>>()
  const resolveFolder = (path: string) => {
    const known = realFolders.get(path) ?? realpath(path).catch(() => path)
    realFolders.set(path, known)
    return known
  }
  const findPlace = async ({ path }: DocumentRef) => {
    const file = resolve(cwd, path)
    const realFile = async () => join(await resolveFolder(dirname(file)), basename(file))
    return placeIn(folder, file) ?? placeIn(await resolveFolder(folder), await realFile())
  }
  const placed: DocumentRef[] = []
  const outside: DocumentRef[] = []
  for (const document of documents) {
    const mirroredPath = document.path === '-' ? document.mirroredPath : await findPlace(document)
    if (document.path !== '-' && mirroredPath === undefined) outside.push(document)
    else placed.push(mirroredPath === undefined ? document : { ...document, mirroredPath })
  }
  const [first] = outside
  if (first === undefined) return placed
  const others = outside.length === 1 ? '' : ` and ${pluralize(outside.length - 1, 'other')}`
  throw new CommandLineError(
    `--root ${root}: ${JSON.stringify(first.path)}${others} ${outside.length === 1 ? 'is' : 'are'} not in this folder; name one that contains all documents`,
  )
}

/** Returns the path of a file relative to a folder, with slashes; undefined if the file is not in the folder. */
function placeIn(folder: string, file: string): string | undefined {
  return file !== folder && isInside(file, folder) ? toSlashes(relative(folder, file)) : undefined
}

/** Returns the first documents; those that are skipped anyway do not count. */
function takeFirst(documents: readonly DocumentRef[], limit: number): readonly DocumentRef[] {
  let left = limit
  return renumber(documents.filter(({ problem }) => problem?.action === 'skip' || left-- > 0))
}
