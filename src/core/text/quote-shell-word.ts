/** A path as one word for a POSIX shell, in quotes only where it needs them. */
export function quoteShellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
