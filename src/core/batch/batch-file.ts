import type { Prices } from '../pricing/models.ts'
import type { AnswerSettings } from '../request/answer-settings.ts'
import { findUnsupported, type JsonSchema } from '../request/schema-support.ts'
import type { Provenance } from '../run/provenance.ts'
import {
  amount,
  boolean,
  count,
  isObject,
  listOf,
  objectOf,
  oneOf,
  optional,
  type Shape,
  safeNumber,
  string,
  stringWithoutNul,
  type TypeOf,
  timestamp,
  where,
} from '../text/shape.ts'
import { type BatchItem, isBatchId } from './batch.ts'

/**
 * Incremented by every change of the format. A file in another format is rejected, because this version might
 * misread documents that were paid for.
 */
export const batchFileVersion = 4

/** The first line of a batch file. */
export const headerShape = objectOf({
  type: oneOf('batch'),
  format_version: oneOf(batchFileVersion),
  local_id: string,
  base_url: string,
  cwd: string,
})

const pricesShape = objectOf({
  input: amount,
  output: amount,
  cache_write_5m: amount,
  cache_write_1h: amount,
  cache_read: amount,
})

const jsonSchemaShape: Shape<JsonSchema> = { matches: isSupportedSchema, schema: { type: 'object' } }

/** The settings that turn replies into summaries. Documents refer to them by their number. */
export const settingsShape = objectOf({
  type: oneOf('settings'),
  settings: count,
  settings_hash: string,
  prompt: string,
  model: string,
  max_tokens: count,
  schema: optional(jsonSchemaShape),
  language: optional(string),
  words: optional(count),
  front_matter: boolean,
  citations: optional(oneOf('footnotes', 'hidden')),
  /** Milliseconds since 1970. */
  replaces_before_ms: optional(amount),
  price: optional(pricesShape),
})
type SettingsLine = TypeOf<typeof settingsShape>

/** A document of the batch. */
export const itemShape = objectOf({
  type: oneOf('document'),
  custom_id: where(string, (id) => /^[a-zA-Z0-9_-]{1,64}$/.test(id)),
  settings: count,
  path: where(stringWithoutNul, (path) => path !== ''),
  /** The path whose place in the output folder the summary takes, if that is not `path`. */
  mirrored_path: optional(stringWithoutNul),
  request_hash: string,
  size_bytes: count,
  mtime_ms: optional(safeNumber),
  sha256: string,
  characters: count,
  text_kind: oneOf('prose', 'code', 'cjk'),
})
type ItemLine = TypeOf<typeof itemShape>

/** The end of the documents. */
export const sealedShape = objectOf({ type: oneOf('sealed'), sealed_at: timestamp })

/** Recorded when the API has created the batch. */
export const createdShape = objectOf({
  type: oneOf('created'),
  batch_id: where(string, isBatchId),
  created_at: timestamp,
})

/** Documents that need no reply any more, in a batch that is kept for others. */
export const settledShape = objectOf({ type: oneOf('settled'), custom_ids: listOf(string) })

/** The first line of a batch file. */
export interface BatchHeader {
  /** The local name of the batch. It is the beginning of every `custom_id`. */
  readonly localId: string
  /** The base URL that the batch is sent to. */
  readonly endpoint: string
  /** The working directory that document paths are relative to; itself relative to the output folder. */
  readonly cwd: string
}

/** A batch file after parsing. */
export interface BatchFile extends BatchHeader {
  /** The documents, by `custom_id`. */
  readonly items: ReadonlyMap<string, BatchItem>
  /** When the batch was sealed: milliseconds since 1970. Undefined if it was never sealed or sent. */
  readonly sealedAt: number | undefined
  /** The batch id of the API, once it is known. */
  readonly id: string | undefined
  /** The documents that need no reply any more: `custom_id`s. */
  readonly settledIds: ReadonlySet<string>
}

/** Why a batch file cannot be used. */
export type BatchFileProblem = { readonly version: unknown } | { readonly damagedLine: number }

export function formatHeaderLine({ localId, endpoint, cwd }: BatchHeader): string {
  const line: TypeOf<typeof headerShape> = {
    type: 'batch',
    format_version: batchFileVersion,
    local_id: localId,
    base_url: endpoint,
    cwd,
  }
  return JSON.stringify(line)
}

/** Returns the line that ends the documents. @param time milliseconds since 1970 */
export function formatSealedLine(time: number): string {
  const line: TypeOf<typeof sealedShape> = { type: 'sealed', sealed_at: new Date(time).toISOString() }
  return JSON.stringify(line)
}

/** Returns the line for a batch that the API has created. @param time milliseconds since 1970 */
export function formatCreatedLine(id: string, time: number): string {
  const line: TypeOf<typeof createdShape> = {
    type: 'created',
    batch_id: id,
    created_at: new Date(time).toISOString(),
  }
  return JSON.stringify(line)
}

/** Returns the line for documents that need no reply any more, in a batch that is kept for others. */
export function formatSettledLine(customIds: readonly string[]): string {
  const line: TypeOf<typeof settledShape> = { type: 'settled', custom_ids: customIds }
  return JSON.stringify(line)
}

/**
 * Returns a function that formats a document and its `custom_id` as lines of the file. Documents with the
 * same settings refer to one settings line.
 */
export function createItemFormatter(): (id: string, document: BatchItem) => string[] {
  const numbersBySettings = new Map<AnswerSettings, Map<string, number>>()
  let settingsCount = 0
  return (id, { path, mirroredPath, asked }) => {
    const { requestHash, fingerprint, characters, kind, provenance, answerSettings } = asked
    const numbers = numbersBySettings.get(answerSettings) ?? new Map<string, number>()
    numbersBySettings.set(answerSettings, numbers)
    const provenanceKey = JSON.stringify([provenance.settingsHash, provenance.prompt, provenance.model])
    const known = numbers.get(provenanceKey)
    const settings = known ?? settingsCount++
    numbers.set(provenanceKey, settings)
    const { size, mtimeMs, sha256 } = fingerprint
    const item: ItemLine = {
      type: 'document',
      custom_id: id,
      settings,
      path,
      ...(mirroredPath !== undefined && { mirrored_path: mirroredPath }),
      request_hash: requestHash,
      size_bytes: size,
      ...(mtimeMs !== undefined && { mtime_ms: mtimeMs }),
      sha256,
      characters,
      text_kind: kind,
    }
    const lines = [JSON.stringify(item)]
    return known === undefined ? [formatSettingsLine(settings, provenance, answerSettings), ...lines] : lines
  }
}

function formatSettingsLine(
  settings: number,
  { settingsHash, prompt, model }: Provenance,
  { maxTokens, schema, language, words, citations, frontMatter, replacesBefore, price }: AnswerSettings,
): string {
  const line: SettingsLine = {
    type: 'settings',
    settings,
    settings_hash: settingsHash,
    prompt,
    model,
    max_tokens: maxTokens,
    ...(schema !== undefined && { schema }),
    ...(language !== undefined && { language }),
    ...(words !== undefined && { words }),
    front_matter: frontMatter,
    ...(citations !== undefined && { citations }),
    ...(replacesBefore !== undefined && { replaces_before_ms: replacesBefore }),
    ...(price !== undefined && { price: toPriceFields(price) }),
  }
  return JSON.stringify(line)
}

/** The content of a settings line, shared by the documents that refer to it. */
export type ItemSettings = Pick<BatchItem['asked'], 'provenance' | 'answerSettings'>

export function toItemSettings(line: SettingsLine): ItemSettings {
  const { schema, language, words, replaces_before_ms: replacesBefore, price } = line
  return {
    provenance: { settingsHash: line.settings_hash, prompt: line.prompt, model: line.model },
    answerSettings: {
      maxTokens: line.max_tokens,
      frontMatter: line.front_matter,
      ...(line.citations !== undefined && { citations: line.citations }),
      ...(schema !== undefined && { schema }),
      ...(language !== undefined && { language }),
      ...(words !== undefined && { words }),
      ...(replacesBefore !== undefined && { replacesBefore }),
      ...(price !== undefined && { price: fromPriceFields(price) }),
    },
  }
}

/** Converts the line of a document. The path stays relative to the working directory in the header. */
export function toBatchItem(line: ItemLine, settings: ItemSettings): BatchItem {
  const { path, mirrored_path: mirroredPath, request_hash, mtime_ms: mtimeMs, size_bytes: size } = line
  const { sha256, characters, text_kind } = line
  const fingerprint = { size, sha256, ...(mtimeMs !== undefined && { mtimeMs }) }
  return {
    path,
    ...(mirroredPath !== undefined && { mirroredPath }),
    asked: { requestHash: request_hash, fingerprint, characters, kind: text_kind, ...settings },
  }
}

type PriceFields = TypeOf<typeof pricesShape>

function toPriceFields({ input, output, cacheWrite5m, cacheWrite1h, cacheRead }: Prices): PriceFields {
  return {
    input,
    output,
    cache_write_5m: cacheWrite5m,
    cache_write_1h: cacheWrite1h,
    cache_read: cacheRead,
  }
}

function fromPriceFields({ input, output, ...cache }: PriceFields): Prices {
  return {
    input,
    output,
    cacheWrite5m: cache.cache_write_5m,
    cacheWrite1h: cache.cache_write_1h,
    cacheRead: cache.cache_read,
  }
}

function isSupportedSchema(schema: unknown): schema is JsonSchema {
  try {
    return isObject(schema) && findUnsupported(schema) === undefined
  } catch {
    // The schema is nested so deeply that it cannot be checked.
    return false
  }
}
