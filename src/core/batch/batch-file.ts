import type { AnswerSettings } from '../request/answer-settings.ts'
import type { Provenance } from '../run/provenance.ts'
import type { BatchItem } from './batch.ts'

/**
 * Counts the formats of batch files. A file of another format is refused: what this version would not understand of it
 * may have been paid for.
 */
export const batchFileVersion = 2

/** The first line of the file of a batch. */
export interface BatchHeader {
  /** Its name: every `custom_id` in it begins with it. */
  readonly localId: string
  /** The base URL that it is sent to. */
  readonly endpoint: string
  /** The working directory that paths are relative to, relative to the output folder. */
  readonly cwd: string
}

/** What a batch file says. */
export interface BatchFile extends BatchHeader {
  /** By their `custom_id`s. */
  readonly items: ReadonlyMap<string, BatchItem>
  /** When it was packed: milliseconds since 1970; undefined where it never was, and so was never sent. */
  readonly sealedAt: number | undefined
  /** The API's id, once it is known. */
  readonly id: string | undefined
  /** Those of its documents that need no answer any more, by `custom_id`. */
  readonly settledIds: ReadonlySet<string>
}

/** Why a batch file cannot be used. */
export type BatchFileProblem = { readonly version: unknown } | { readonly damagedLine: number }

export function formatHeaderLine({ localId: batch, endpoint, cwd: base }: BatchHeader): string {
  return JSON.stringify({ type: 'batch', format_version: batchFileVersion, batch, endpoint, base })
}

/** No more documents follow. @param time milliseconds since 1970 */
export function formatSealedLine(time: number): string {
  return JSON.stringify({ type: 'sealed', sealed_at: new Date(time).toISOString() })
}

/** The API has created the batch, under this id. @param time milliseconds since 1970 */
export function formatCreatedLine(id: string, time: number): string {
  return JSON.stringify({ type: 'created', id, created_at: new Date(time).toISOString() })
}

/** These documents need no answer any more, while the batch is kept for others. */
export function formatSettledLine(customIds: readonly string[]): string {
  return JSON.stringify({ type: 'settled', ids: customIds })
}

/**
 * Writes the lines of documents: those that share their settings refer to one line that has them.
 * @returns given a document and its `custom_id`, its lines
 */
export function createItemFormatter(): (id: string, document: BatchItem) => string[] {
  const numbers = new Map<AnswerSettings, Map<string, number>>()
  let count = 0
  return (id, { path, asked }) => {
    const { requestHash: key, fingerprint, characters, kind, provenance, answerSettings } = asked
    const ofSettings = numbers.get(answerSettings) ?? new Map<string, number>()
    numbers.set(answerSettings, ofSettings)
    const provenanceKey = JSON.stringify([provenance.recipe, provenance.prompt, provenance.model])
    const known = ofSettings.get(provenanceKey)
    const number = known ?? count++
    ofSettings.set(provenanceKey, number)
    const document = {
      type: 'document',
      id,
      settings: number,
      path,
      key,
      size: fingerprint.size,
      mtime: fingerprint.mtimeMs,
      sha256: fingerprint.sha256,
      chars: characters,
      kind,
    }
    const lines = [JSON.stringify(document)]
    return known === undefined ? [formatSettingsLine(number, provenance, answerSettings), ...lines] : lines
  }
}

function formatSettingsLine(number: number, facts: Provenance, settings: AnswerSettings): string {
  const { maxTokens, schema, language, words, frontMatter, replacesBefore, price } = settings
  return JSON.stringify({
    type: 'settings',
    settings: number,
    recipe: facts.recipe,
    prompt: facts.prompt,
    model: facts.model,
    max_tokens: maxTokens,
    schema,
    language,
    words,
    front_matter: frontMatter,
    replaces_before: replacesBefore,
    price,
  })
}
