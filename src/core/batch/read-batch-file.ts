import type { Prices } from '../pricing/models.ts'
import type { AnswerSettings } from '../request/answer-settings.ts'
import { unsupportedIn } from '../request/schema-support.ts'
import type { RunFacts } from '../run/provenance.ts'
import type { TextKind } from '../text/text-kind.ts'
import { isBatchId, type Packed } from './batch.ts'
import { type BatchFile, type BatchFileProblem, type BatchHead, batchFileVersion } from './batch-file.ts'

/** Takes the lines of a batch file, one after another. */
export interface BatchFileReader {
  take(line: string): void
  /** @param name the one that its file's name has */
  end(name: string): BatchFile | BatchFileProblem
}

/**
 * Reads the lines of a batch file. Anyone may have written them: a line counts only where every field of it is what it
 * should be. A line that does not count makes the file unusable, unless the batch was never sent, or the line is the
 * torn last one of a run that was cut short.
 * @param pathOf gives a document's path, which is relative to a working directory, as this run knows it
 */
export function createBatchFileReader(pathOf: (base: string, path: string) => string): BatchFileReader {
  const documents = new Map<string, Packed>()
  const ways: Way[] = []
  const settled = new Set<string>()
  let head: BatchHead | undefined
  let version: unknown
  let [packed, id]: [number?, string?] = []
  let lines = 0
  let damagedLine: number | undefined

  const isTaken = (fields: Fields): boolean => {
    if (lines === 1) {
      version = fields['format_version'] ?? fields['v']
      if (version === batchFileVersion) head = headIn(fields)
      return head !== undefined
    }
    if (packed !== undefined) {
      const { type, ids } = fields
      if (type === 'created' && isBatchId(fields['id'])) id = fields['id']
      if (type === 'settled' && Array.isArray(ids)) for (const name of ids.filter(isText)) settled.add(name)
      return true
    }
    if (fields['type'] === 'sealed') {
      packed = timeIn(fields['sealed_at'])
      return packed !== undefined
    }
    if (fields['type'] === 'settings') {
      const found = fields['settings'] === ways.length ? settingsIn(fields) : undefined
      if (found !== undefined) ways.push(found)
      return found !== undefined
    }
    const document = fields['type'] === 'document' ? documentIn(fields, ways) : undefined
    if (document === undefined || head === undefined) return false
    const [name, { path, asked }] = document
    documents.set(name, { path: pathOf(head.base, path), asked })
    return true
  }
  return {
    take(line) {
      if (line === '') return
      lines++
      // What is added after the seal may be torn, and is added again then.
      if (!isTaken(fieldsIn(line))) damagedLine ??= lines
    },
    end(name) {
      if (version !== undefined && version !== batchFileVersion) return { version }
      const isSent = packed !== undefined || (damagedLine !== undefined && damagedLine < lines)
      if (isSent && damagedLine !== undefined) return { damagedLine }
      const { batch = name, endpoint = '', base = '' } = head ?? {}
      if (batch !== name) return { damagedLine: 1 }
      return { batch, endpoint, base, documents, packed, id, settled }
    },
  }
}

/** The settings of some documents of a batch. */
interface Way {
  readonly facts: RunFacts
  readonly settings: AnswerSettings
}

type Fields = Readonly<Record<string, unknown>>

function fieldsIn(line: string): Fields {
  try {
    return Object(JSON.parse(line)) as Fields
  } catch {
    return {}
  }
}

function headIn({ type, batch, endpoint, base }: Fields): BatchHead | undefined {
  if (type !== 'batch' || !isText(batch) || !isText(endpoint) || !isText(base)) return undefined
  return { batch, endpoint, base }
}

function settingsIn(fields: Fields): Way | undefined {
  const { recipe, prompt, model, max_tokens: maxTokens, front_matter: frontMatter } = fields
  const { schema, language, words, replaces_before: replacesBefore, price } = fields
  if (!isText(recipe) || !isText(prompt) || !isText(model) || !isCount(maxTokens)) return undefined
  if (typeof frontMatter !== 'boolean') return undefined
  if (language !== undefined && !isText(language)) return undefined
  if (words !== undefined && !isCount(words)) return undefined
  if (replacesBefore !== undefined && !isAmount(replacesBefore)) return undefined
  if (schema !== undefined && !isSupported(schema)) return undefined
  const ownPrice = price === undefined ? undefined : pricesIn(price)
  if (price !== undefined && ownPrice === undefined) return undefined
  const settings = {
    maxTokens,
    frontMatter,
    ...(schema !== undefined && { schema: schema as Fields }),
    ...(language !== undefined && { language }),
    ...(words !== undefined && { words }),
    ...(replacesBefore !== undefined && { replacesBefore }),
    ...(ownPrice !== undefined && { price: ownPrice }),
  }
  return { facts: { recipe, prompt, model }, settings }
}

function isSupported(schema: unknown): boolean {
  try {
    return unsupportedIn(schema) === undefined
  } catch {
    // It is nested too deeply to be looked through.
    return false
  }
}

function pricesIn(value: unknown): Prices | undefined {
  const { input, output, cacheWrite5m, cacheWrite1h, cacheRead } = Object(value) as Fields
  if (!isAmount(input) || !isAmount(output)) return undefined
  if (!isAmount(cacheWrite5m) || !isAmount(cacheWrite1h) || !isAmount(cacheRead)) return undefined
  return { input, output, cacheWrite5m, cacheWrite1h, cacheRead }
}

function documentIn(fields: Fields, ways: readonly Way[]): [string, Packed] | undefined {
  const { id, settings: number, path, key, size, mtime, sha256, chars, kind } = fields
  const way = isCount(number) ? ways[number] : undefined
  if (way === undefined || !isText(path) || path === '' || !isText(key) || !isText(sha256)) return undefined
  if (!isText(id) || !/^[a-zA-Z0-9_-]{1,64}$/.test(id)) return undefined
  if (!isCount(size) || !isCount(chars) || !isKind(kind)) return undefined
  if (mtime !== undefined && typeof mtime !== 'number') return undefined
  const bytes = { size, sha256, ...(mtime !== undefined && { mtimeMs: mtime }) }
  return [id, { path, asked: { key, bytes, characters: chars, kind, ...way } }]
}

/** Milliseconds since 1970; undefined for what is no time. */
function timeIn(value: unknown): number | undefined {
  const time = isText(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

const kinds: ReadonlySet<unknown> = new Set<TextKind>(['prose', 'code', 'cjk'])

function isKind(value: unknown): value is TextKind {
  return kinds.has(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function isCount(value: unknown): value is number {
  return isAmount(value) && Number.isInteger(value)
}
