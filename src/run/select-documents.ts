import { relative, resolve } from 'node:path'
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
export function selectDocuments(
  { sources: found, skipped }: Pick<FoundDocuments, 'sources' | 'skipped'>,
  shard: Shard | undefined,
  { root, limit }: Pick<SummarizeOptions, 'root' | 'limit'>,
  out: string | undefined,
  { cwd }: Pick<Runtime, 'cwd'>,
): Selection {
  const placed = root === undefined || out === undefined ? found : placeBelow(root, found, cwd)
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

/** Returns the documents with the paths that their outputs get below the output folder: relative to `root`. */
function placeBelow(root: string, documents: readonly DocumentRef[], cwd: string): readonly DocumentRef[] {
  const folder = resolve(cwd, root)
  const locate = ({ path }: DocumentRef) => resolve(cwd, path)
  const outside = documents.filter((document) => document.path !== '-' && !isInside(locate(document), folder))
  const [first] = outside
  if (first !== undefined) {
    const others = outside.length === 1 ? '' : ` and ${pluralize(outside.length - 1, 'other')}`
    throw new CommandLineError(
      `--root ${root}: ${JSON.stringify(first.path)}${others} ${outside.length === 1 ? 'is' : 'are'} not in this folder; name one that contains all documents`,
    )
  }
  return documents.map((document) =>
    document.path === '-'
      ? document
      : { ...document, mirroredPath: toSlashes(relative(folder, locate(document))) },
  )
}

/** Returns the first documents; those that are skipped anyway do not count. */
function takeFirst(documents: readonly DocumentRef[], limit: number): readonly DocumentRef[] {
  let left = limit
  return renumber(documents.filter(({ problem }) => problem?.action === 'skip' || left-- > 0))
}
