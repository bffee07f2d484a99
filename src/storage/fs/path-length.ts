import { platform } from 'node:os'
import { dirname, join } from 'node:path'
import { isPathTooLong } from './symlinks.ts'

/**
 * Whether the file system accepts the path of a file in an output folder, its temporary file, and each name
 * in it. Accesses the file system only for long names.
 * @param root the output folder, absolute
 * @param file relative to `root`, with `/`
 */
export function isPathAllowed(root: string, file: string): boolean {
  const path = join(root, file)
  const pathBytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(dirname(path)) + 1 + tempNameBytes)
  const longNames = file.split('/').filter((name) => Buffer.byteLength(name) > alwaysAllowedNameBytes)
  return pathBytes <= maxPathBytes && !longNames.some((name) => isPathTooLong(join(root, name)))
}

/** Whether the path of an output folder leaves room for its state files. @param root absolute */
export function isRootAllowed(root: string): boolean {
  return Buffer.byteLength(root) + stateFileBytes <= maxPathBytes
}

/**
 * Bytes of the longest path, without the final NUL. On Windows, Node adds the prefix that lifts the
 * 260-character limit.
 */
const maxPathBytes = { darwin: 1023, win32: 32_000 }[platform() as string] ?? 4095

/** Bytes: `.claude-batch-`, a run id, a count and `.tmp`; see `writeFileAtomic`. */
const tempNameBytes = 40

/** Bytes: a temporary file in `/.claude-batch/recovered/`, with some reserve. */
const stateFileBytes = 80

/**
 * Bytes of a name that every file system allows. Encrypted ones have the lowest limit, 143; most allow 255.
 */
const alwaysAllowedNameBytes = 128
