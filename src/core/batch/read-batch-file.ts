import type { Prices } from '../pricing/models.ts'
import type { AnswerSettings } from '../request/answer-settings.ts'
import { findUnsupported } from '../request/schema-support.ts'
import type { Provenance } from '../run/provenance.ts'
import type { TextKind } from '../text/text-kind.ts'
import { type BatchItem, isBatchId } from './batch.ts'
import { type BatchFile, type BatchFileProblem, type BatchHeader, batchFileVersion } from './batch-file.ts'

/** Takes the lines of a batch file, one after another. */
export interface BatchFileReader {
  readLine(line: string): void
  /** @param name the one that its file's name has */
  finish(name: string): BatchFile | BatchFileProblem
}

/**
 * Reads the lines of a batch file. Anyone may have written them: a line counts only where every field of it is what it
 * should be. A line that does not count makes the file unusable, unless the batch was never sent, or the line is the
 * torn last one of a run that was cut short.
 * @param resolvePath gives a document's path, which is relative to a working directory, as this run knows it
 */
export function createBatchFileReader(resolvePath: (base: string, path: string) => string): BatchFileReader {
  const items = new Map<string, BatchItem>()
  const settingsTable: ItemSettings[] = []
  const settledIds = new Set<string>()
  let header: BatchHeader | undefined
  let version: unknown
  let [sealedAt, id]: [number?, string?] = []
  let lineCount = 0
  let damagedLine: number | undefined

  const acceptLine = (fields: Fields): boolean => {
    if (lineCount === 1) {
      version = fields['format_version'] ?? fields['v']
      if (version === batchFileVersion) header = parseHeader(fields)
      return header !== undefined
    }
    if (sealedAt !== undefined) {
      const { type, ids } = fields
      if (type === 'created' && isBatchId(fields['id'])) id = fields['id']
      if (type === 'settled' && Array.isArray(ids))
        for (const name of ids.filter(isString)) settledIds.add(name)
      return true
    }
    if (fields['type'] === 'sealed') {
      sealedAt = parseTime(fields['sealed_at'])
      return sealedAt !== undefined
    }
    if (fields['type'] === 'settings') {
      const found = fields['settings'] === settingsTable.length ? parseSettings(fields) : undefined
      if (found !== undefined) settingsTable.push(found)
      return found !== undefined
    }
    const document = fields['type'] === 'document' ? parseItem(fields, settingsTable) : undefined
    if (document === undefined || header === undefined) return false
    const [name, { path, asked }] = document
    items.set(name, { path: resolvePath(header.cwd, path), asked })
    return true
  }
  return {
    readLine(line) {
      if (line === '') return
      lineCount++
      // What is added after the seal may be torn, and is added again then.
      if (!acceptLine(parseFields(line))) damagedLine ??= lineCount
    },
    finish(name) {
      if (version !== undefined && version !== batchFileVersion) return { version }
      const isSent = sealedAt !== undefined || (damagedLine !== undefined && damagedLine < lineCount)
      if (isSent && damagedLine !== undefined) return { damagedLine }
      const { localId: batch = name, endpoint = '', cwd: base = '' } = header ?? {}
      if (batch !== name) return { damagedLine: 1 }
      return { localId: batch, endpoint, cwd: base, items, sealedAt, id, settledIds }
    },
  }
}

/** The settings of some documents of a batch. */
interface ItemSettings {
  readonly provenance: Provenance
  readonly answerSettings: AnswerSettings
}

type Fields = Readonly<Record<string, unknown>>

function parseFields(line: string): Fields {
  try {
    return Object(JSON.parse(line)) as Fields
  } catch {
    return {}
  }
}

function parseHeader({ type, batch, endpoint, base }: Fields): BatchHeader | undefined {
  if (type !== 'batch' || !isString(batch) || !isString(endpoint) || !isString(base)) return undefined
  return { localId: batch, endpoint, cwd: base }
}

function parseSettings(fields: Fields): ItemSettings | undefined {
  const { recipe, prompt, model, max_tokens: maxTokens, front_matter: frontMatter } = fields
  const { schema, language, words, replaces_before: replacesBefore, price } = fields
  if (!isString(recipe) || !isString(prompt) || !isString(model) || !isCount(maxTokens)) return undefined
  if (typeof frontMatter !== 'boolean') return undefined
  if (language !== undefined && !isString(language)) return undefined
  if (words !== undefined && !isCount(words)) return undefined
  if (replacesBefore !== undefined && !isAmount(replacesBefore)) return undefined
  if (schema !== undefined && !isSupported(schema)) return undefined
  const ownPrice = price === undefined ? undefined : parsePrices(price)
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
  return { provenance: { recipe, prompt, model }, answerSettings: settings }
}

function isSupported(schema: unknown): boolean {
  try {
    return findUnsupported(schema) === undefined
  } catch {
    // It is nested too deeply to be looked through.
    return false
  }
}

function parsePrices(value: unknown): Prices | undefined {
  const { input, output, cacheWrite5m, cacheWrite1h, cacheRead } = Object(value) as Fields
  if (!isAmount(input) || !isAmount(output)) return undefined
  if (!isAmount(cacheWrite5m) || !isAmount(cacheWrite1h) || !isAmount(cacheRead)) return undefined
  return { input, output, cacheWrite5m, cacheWrite1h, cacheRead }
}

function parseItem(fields: Fields, settingsTable: readonly ItemSettings[]): [string, BatchItem] | undefined {
  const { id, settings: number, path, key, size, mtime, sha256, chars, kind } = fields
  const itemSettings = isCount(number) ? settingsTable[number] : undefined
  if (itemSettings === undefined || !isString(path) || path === '' || !isString(key) || !isString(sha256))
    return undefined
  if (!isString(id) || !/^[a-zA-Z0-9_-]{1,64}$/.test(id)) return undefined
  if (!isCount(size) || !isCount(chars) || !isTextKind(kind)) return undefined
  if (mtime !== undefined && typeof mtime !== 'number') return undefined
  const fingerprint = { size, sha256, ...(mtime !== undefined && { mtimeMs: mtime }) }
  return [id, { path, asked: { requestHash: key, fingerprint, characters: chars, kind, ...itemSettings } }]
}

/** Milliseconds since 1970; undefined for what is no time. */
function parseTime(value: unknown): number | undefined {
  const time = isString(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

const kinds: ReadonlySet<unknown> = new Set<TextKind>(['prose', 'code', 'cjk'])

function isTextKind(value: unknown): value is TextKind {
  return kinds.has(value)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function isCount(value: unknown): value is number {
  return isAmount(value) && Number.isInteger(value)
}
