import { isUint8Array } from 'node:util/types'
import { defaultExtensions } from '../config/default-extensions.ts'
import { encoding as parseEncoding, extensions as parseExtensions } from '../config/flag-parsers.ts'

/** A document that is not a file, such as an upload of a user or an object of a store. */
export interface DocumentData {
  /** Its id. The extension says which format it may have: `report.pdf`. */
  readonly name: string
  /** Its content. */
  readonly data: Uint8Array
}

/** A file, a directory or a glob pattern, as on the command line, or the content of a document. */
export type DocumentInput = string | DocumentData

/** One document or several. An async iterable, of documents only, is read one by one, when the pool has room. */
export type DocumentInputs = DocumentInput | Iterable<DocumentInput> | AsyncIterable<DocumentData>

/** Documents that were found and are not read, which is no failure. */
export interface SkippedDocuments {
  /**
   * Why: `empty`, `binary`, `lock_file`, `earlier_output`, `duplicate`, `excluded`, `excluded_folder`, or `extension` for
   * files of searched directories whose extension is not read.
   */
  readonly type: string
  /** The reason for people. */
  readonly message: string
  /** How many documents. */
  readonly count: number
  /** Their ids, if they are at most three. Empty for `extension`. */
  readonly ids: readonly string[]
}

/** Options of `readDocuments`; all are optional, and have the defaults of the command line. */
export interface ReadDocumentsOptions {
  /** The folder that paths are relative to. Default: the working directory. */
  readonly cwd?: string | undefined
  /** Extensions to read from directories, such as `['md', 'pdf']`, or changes of the default list: `['+json', '-csv']`. */
  readonly ext?: readonly string[] | undefined
  /** Patterns of files and folders to skip, such as `drafts/` or `*.draft.md`. */
  readonly exclude?: readonly string[] | undefined
  /** Whether hidden files and directories are included. Default: false. */
  readonly hidden?: boolean | undefined
  /** Whether symbolic links that stay inside a directory are followed. Default: false. */
  readonly follow?: boolean | undefined
  /** Whether `.gitignore`, git's other ignore files and `.claude-batchignore` apply. Default: true. */
  readonly ignore?: boolean | undefined
  /** Encoding of text that is not UTF-8, such as `windows-1252`, or `auto`. Default: such documents fail. */
  readonly encoding?: string | undefined
  /**
   * `auto`: extract text, and upload scanned pages. `text`: never upload. `native`: upload every PDF, which costs more.
   * Default: `auto`.
   */
  readonly pdf?: 'auto' | 'text' | 'native' | undefined
  /**
   * Whether the summaries will cite the documents. With `pdf: 'native'`, the text of PDFs is then extracted as well, so that
   * quotes can be looked up. Default: false.
   */
  readonly citations?: boolean | undefined
  /** Called with documents that are not read. Errors that it throws end the loop. */
  readonly onSkip?: ((skipped: SkippedDocuments) => void) | undefined
  /** Called with warnings for people, such as an exclude pattern that matches nothing. */
  readonly onWarning?: ((message: string) => void) | undefined
  /** When aborted, reading stops and the loop throws the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** The options, checked and with their defaults. */
export interface ReadSettings extends Omit<ReadDocumentsOptions, 'ext' | 'exclude' | 'pdf'> {
  readonly extensions: readonly string[]
  readonly exclude: readonly string[]
  readonly pdf: 'auto' | 'text' | 'native'
}

/** Checks the options. @throws TypeError that names the option */
export function checkReadOptions(options: ReadDocumentsOptions): ReadSettings {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('readDocuments: the options must be an object')
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, name) ? checks[name as keyof typeof checks] : undefined
    if (check === undefined) throw new TypeError(`readDocuments has no option ${name}`)
    if (value !== undefined && !check.isValid(value))
      throw new TypeError(`readDocuments: ${name} must be ${check.expected}`)
  }
  const { ext, exclude = [], encoding, pdf = 'auto', ...others } = options
  try {
    return {
      ...others,
      extensions: ext === undefined ? defaultExtensions : parseExtensions(ext.join(','), 'ext'),
      exclude,
      pdf,
      encoding: encoding && parseEncoding(encoding, 'encoding'),
    }
  } catch (error) {
    throw new TypeError(`readDocuments: ${(error as Error).message}`)
  }
}

/** Paths and patterns, which are searched together, and the other documents. */
export interface SplitInputs {
  readonly paths: readonly string[]
  readonly data: Iterable<unknown> | AsyncIterable<unknown>
}

/** Checks and separates the inputs. @throws TypeError */
export function splitInputs(inputs: DocumentInputs): SplitInputs {
  if (typeof inputs === 'object' && inputs !== null && Symbol.asyncIterator in inputs)
    return { paths: [], data: inputs }
  const isMany = typeof inputs === 'object' && inputs !== null && Symbol.iterator in inputs
  const all: readonly unknown[] = isMany ? [...inputs] : [inputs]
  const paths = all.filter((input) => typeof input === 'string')
  const data = all.filter((input) => typeof input !== 'string')
  for (const item of data) checkData(item)
  if (all.length === 0) throw new TypeError('readDocuments: there are no inputs')
  return { paths, data }
}

/** @throws TypeError if a value is not `{ name, data }` */
export function checkData(item: unknown): asserts item is DocumentData {
  const { name, data } = (item ?? {}) as Partial<DocumentData>
  if (typeof name !== 'string' || name === '' || !isUint8Array(data))
    throw new TypeError(
      'readDocuments: expected a path, or { name, data } with a name and a Uint8Array as data',
    )
}

interface Check {
  readonly expected: string
  isValid(value: unknown): boolean
}

const isTexts: Check = {
  expected: 'a list of texts',
  isValid: (value) =>
    Array.isArray(value) && value.every((item) => typeof item === 'string' && item.trim() !== ''),
}
const isText: Check = { expected: 'a text', isValid: (value) => typeof value === 'string' && value !== '' }
const isBoolean: Check = { expected: 'true or false', isValid: (value) => typeof value === 'boolean' }
const isFunction: Check = { expected: 'a function', isValid: (value) => typeof value === 'function' }

const checks: { readonly [Name in keyof Required<ReadDocumentsOptions>]: Check } = {
  cwd: isText,
  ext: isTexts,
  exclude: isTexts,
  hidden: isBoolean,
  follow: isBoolean,
  ignore: isBoolean,
  encoding: isText,
  pdf: {
    expected: 'auto, text or native',
    isValid: (value) => ['auto', 'text', 'native'].includes(value as string),
  },
  citations: isBoolean,
  onSkip: isFunction,
  onWarning: isFunction,
  signal: { expected: 'an AbortSignal', isValid: (value) => value instanceof AbortSignal },
}
