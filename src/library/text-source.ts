import { hash } from 'node:crypto'
import type { Document, DocumentRef, InputProblem } from '../core/document/document.ts'
import { replaceLoneSurrogates } from '../core/text/replace-lone-surrogates.ts'
import { unlessAborted } from './unless-aborted.ts'

/** A text with a name. */
export interface Text {
  /** What its outcome is known by, and the model is told where the prompt says `{path}`. Default: `text-1`, `text-2`, … */
  readonly id?: string | undefined
  readonly text: string
}

/** One item as the caller gave it, which may be anything. */
export interface TextSource extends DocumentRef {
  readonly item: unknown
}

export type Texts = Iterable<string | Text> | AsyncIterable<string | Text>

/** @throws TypeError where it is nothing that texts can be taken from; a string is, but of its characters */
export function checkTexts(texts: Texts): void {
  const isObject = typeof texts === 'object' && texts !== null
  if (!isObject || !(Symbol.asyncIterator in texts || Symbol.iterator in texts))
    throw new TypeError('expected an iterable or async iterable of texts')
}

/**
 * Takes texts one by one, as they are asked for, until `drain` aborts; a source that is slow to bring the next one is
 * then not waited for.
 */
export async function* takeSources(texts: Texts, drain: AbortSignal): AsyncGenerator<TextSource> {
  const items = Symbol.asyncIterator in texts ? texts[Symbol.asyncIterator]() : texts[Symbol.iterator]()
  let state = 'idle' as 'idle' | 'asked' | 'over'
  const takeNext = async () => {
    state = 'asked'
    try {
      const next = await items.next()
      state = next.done ? 'over' : 'idle'
      return next
    } catch (error) {
      state = 'over'
      throw error
    }
  }
  try {
    for (let index = 0; !drain.aborted; index++) {
      const next = await unlessAborted(takeNext(), drain)
      if (next === undefined || next.done) return
      const { id = `text-${index + 1}` } = (next.value ?? {}) as { id?: unknown }
      yield { index, path: String(id), namedByUser: true, item: next.value }
    }
  } finally {
    if (state === 'idle') await closeIterator(items)
    // One that was asked for its next item ends only once it has brought it.
    if (state === 'asked') void closeIterator(items)
  }
}

/** Tells a source that nobody wants more; what goes wrong there is nobody's business any more. */
async function closeIterator(items: Iterator<unknown> | AsyncIterator<unknown>): Promise<void> {
  try {
    await items.return?.()
  } catch {}
}

/** Reads one item. Nothing that it may be is thrown for. */
export async function readText({ item, ...source }: TextSource): Promise<Document | InputProblem> {
  const text = typeof item === 'string' ? item : (item as { text?: unknown } | null | undefined)?.text
  if (typeof text !== 'string')
    return {
      action: 'fail',
      type: 'not_text',
      message: `expected a string or { id, text }, got ${describeType(item)}`,
    }
  if (text.trim() === '') return { action: 'fail', type: 'empty_text', message: 'the text is empty' }
  const wellFormedText = replaceLoneSurrogates(text).replace(/^\ufeff/, '')
  const bytes = Buffer.from(wellFormedText)
  const sha256 = hash('sha256', bytes)
  return { ref: source, text: wellFormedText, fingerprint: { size: bytes.length, sha256 } }
}

function describeType(item: unknown): string {
  if (item === null) return 'null'
  return typeof item === 'object' ? 'an object without a text' : typeof item
}
