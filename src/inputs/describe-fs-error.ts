/** Returns a file system error in words: `EACCES` is "permission denied". */
export function describeFsError(error: NodeJS.ErrnoException): string {
  const words: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'operation not permitted',
    ENOENT: 'no such file',
    EISDIR: 'this is a folder; name a file',
    ENOTDIR: 'a part of the path is a file, not a folder',
    EIO: 'the disk cannot read it',
    ESTALE: 'the network drive no longer has it; try again',
    ELOOP: 'too many symbolic links',
    EMFILE: 'too many open files',
    ENAMETOOLONG: 'the name is too long',
  }
  return words[error.code ?? ''] ?? error.message.replace(/,.*/s, '')
}
