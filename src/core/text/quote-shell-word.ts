/** Returns a path as one word for a POSIX shell, in quotes only if necessary. */
export function quoteShellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
