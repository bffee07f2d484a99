import { isAbsolute, relative, resolve, sep } from 'node:path'

/** The places that the links of an HTML report lead to. */
export interface ReportLinks {
  /** The link to the directory that paths of documents are relative to, with a slash at its end. */
  readonly documentBase: string | undefined
  /** The link to the output folder, with a slash at its end; undefined without one. */
  readonly outputBase: string | undefined
  /** Returns the link to a document, by its path in the report; undefined if it has none. */
  toDocument(path: string): string | undefined
  /** Returns the link to a summary or error record, by its path below the output folder. */
  toOutput(path: string): string | undefined
}

/**
 * Returns links that are relative to the folder of a report, so that they still work after all of it was moved.
 * @param folder the folder of the report, absolute
 * @param cwd the directory that the paths of documents are relative to, absolute
 * @param out the output folder, absolute; undefined without one
 */
export function createReportLinks(folder: string, cwd: string, out: string | undefined): ReportLinks {
  return {
    documentBase: toHref(folder, cwd, '/'),
    outputBase: out === undefined ? undefined : toHref(folder, out, '/'),
    // `-` is stdin.
    toDocument: (path) => (path === '-' ? undefined : toHref(folder, resolve(cwd, path))),
    toOutput: (path) => (out === undefined ? undefined : toHref(folder, resolve(out, path))),
  }
}

/** Returns a path with `/` as the relative URL that begins with `base`. */
export function appendPath(base: string, path: string): string {
  return base + encodePath(path.split('/'))
}

/**
 * Returns the relative URL of a file. It begins with `./` or `../` and is percent-encoded, so a file name can be
 * neither a scheme (`javascript:`) nor a query. Undefined on another drive, which no relative URL reaches.
 */
function toHref(folder: string, file: string, suffix: '' | '/' = ''): string | undefined {
  const path = relative(folder, file)
  if (isAbsolute(path)) return undefined
  if (path === '') return './'
  const segments = path.split(sep)
  return `${segments[0] === '..' ? '' : './'}${encodePath(segments)}${suffix}`
}

/** A lone surrogate, which cannot be encoded, becomes U+FFFD. */
function encodePath(segments: readonly string[]): string {
  return segments.map((segment) => encodeURIComponent(segment.toWellFormed())).join('/')
}
