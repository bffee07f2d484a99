import { ExitError } from '../../errors.ts'

/**
 * Converts a system error into an `ioError` for a file that cannot be written. Returns an ExitError
 * unchanged.
 */
export function toWriteError(target: string, error: NodeJS.ErrnoException): ExitError {
  return error instanceof ExitError
    ? error
    : new ExitError('ioError', `cannot write ${target}: ${describeFsError(error)}`)
}

/** Converts a system error into an `ioError` for a file that cannot be read; see {@link toWriteError}. */
export function toReadError(target: string, error: NodeJS.ErrnoException): ExitError {
  return error instanceof ExitError
    ? error
    : new ExitError('ioError', `cannot read ${target}: ${describeFsError(error)}`)
}

function describeFsError({ code, message }: NodeJS.ErrnoException): string {
  const reasons: Readonly<Record<string, string>> = {
    ENOSPC: 'no space left on the device (make room first)',
    EDQUOT: 'the disk quota is used up (make room first)',
    EACCES: 'permission denied',
    EPERM: 'operation not permitted',
    EROFS: 'the file system is read-only (choose another place)',
    ENOENT: 'no such directory',
    EISDIR: 'a directory of that name is in the way',
    ENAMETOOLONG: 'the name or the path is too long',
    ENOTDIR: 'a file is where a folder is needed',
    EMFILE: 'too many open files (raise ulimit -n, or lower --concurrency)',
  }
  return reasons[code ?? ''] ?? message
}
