/** Returns a file system error in words: `EACCES` is "permission denied". */
export function describeFsError(error: NodeJS.ErrnoException): string {
  const words: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'operation not permitted',
    ENOENT: 'no such file',
    ELOOP: 'too many symbolic links',
    EMFILE: 'too many open files',
    ENAMETOOLONG: 'the name is too long',
  }
  return words[error.code ?? ''] ?? error.message.replace(/,.*/s, '')
}
