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
  const names = file.split('/')
  // A UTF-16 code unit takes at most three bytes in UTF-8, so most paths need no exact count.
  const isShort = 3 * (root.length + 1 + file.length + 1 + tempNameBytes) <= maxPathBytes
  if (isShort && names.every((name) => 3 * name.length <= alwaysAllowedNameBytes)) return true
  const path = join(root, file)
  const pathBytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(dirname(path)) + 1 + tempNameBytes)
  const longNames = names.filter((name) => Buffer.byteLength(name) > alwaysAllowedNameBytes)
  return pathBytes <= maxPathBytes && !longNames.some((name) => isPathTooLong(join(root, name)))
}

/** Whether the path of an output folder leaves room for its state files. @param root absolute */
export function isRootAllowed(root: string): boolean {
  return Buffer.byteLength(root) + stateFileBytes <= maxPathBytes
}

/**
 * Maximum length of a path in bytes, without the final NUL. On Windows, Node adds the prefix that lifts the
 * 260-character limit.
 */
const maxPathBytes = { darwin: 1023, win32: 32_000 }[platform() as string] ?? 4095

/**
 * Maximum length of the name of a temporary file, in bytes: `.claude-batch-`, a run id, a count and `.tmp`;
 * see `writeFileAtomic`.
 */
const tempNameBytes = 40

/**
 * Maximum length of the path of a state file below the output folder, in bytes. The longest one is a
 * temporary file in `.claude-batch/recovered/`; some bytes are a reserve.
 */
const stateFileBytes = 80

/**
 * Every file system allows a name of this many bytes. Encrypted file systems have the lowest limit, 143; most
 * others allow 255.
 */
const alwaysAllowedNameBytes = 128
