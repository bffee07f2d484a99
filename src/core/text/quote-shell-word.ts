import { sep } from 'node:path'

/**
 * Returns a path as one word for a POSIX shell, or on Windows for cmd and PowerShell, in quotes only if necessary.
 * @param separator of the system
 */
export function quoteShellWord(path: string, separator: string = sep): string {
  // A backslash before the closing quote would escape it.
  if (separator === '\\') return /^[\w+:./\\-]+$/.test(path) ? path : `"${path.replace(/\\+$/, '$&$&')}"`
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
