import { hash } from 'node:crypto'
import type { Document, DocumentRef, InputProblem } from '../core/document/document.ts'
import type { Mark } from '../core/document/mark.ts'
import type { Upload } from '../core/document/upload.ts'
import { replaceLoneSurrogates } from '../core/text/replace-lone-surrogates.ts'
import { isPromise } from './check-arguments.ts'
import { isMarks } from './is-marks.ts'
import { isUpload } from './is-upload.ts'
import type { Problem } from './library-error.ts'
import { unlessAborted } from './unless-aborted.ts'

/** A text with a name. */
export interface Text {
  /** The id of its outcome, which also replaces `{path}` in the prompt. Default: `text-1`, `text-2`, … */
  readonly id?: string | undefined
  /** What to summarize. */
  readonly text: string
  /** What is sent next to the text, because the model must see it: pages of a PDF, or images. */
  readonly upload?: Upload | undefined
  /** Where parts of a document begin in the text, for the places of citations. Default: its lines. */
  readonly marks?: readonly Mark[] | undefined
}

/** A text whose name is known. */
export interface NamedText extends Text {
  /** The id of its outcome, which also replaces `{path}` in the prompt. */
  readonly id: string
}

/** A document without a text: its outcome is `failed`, with this error, and nothing is sent. */
export interface UnreadableText {
  /** The id of its outcome. */
  readonly id: string
  /** Why it has no text. */
  readonly error: Problem
}

/** One item from the caller, which may be any value. */
export interface TextSource extends DocumentRef {
  readonly item: unknown
}

/** Texts in an array, a generator or anything else that yields them. */
export type Texts = Iterable<string | Text | UnreadableText> | AsyncIterable<string | Text | UnreadableText>

/** Checks that texts are iterable; a string would yield its characters. @throws TypeError */
export function checkTexts(caller: string, texts: Texts): void {
  const isObject = typeof texts === 'object' && texts !== null
  if (isObject && (Symbol.asyncIterator in texts || Symbol.iterator in texts)) return
  const hint = isPromise(texts) ? '; did you forget `await`?' : ''
  throw new TypeError(`${caller}: texts must be an iterable or async iterable of texts${hint}`)
}

/**
 * Yields texts one by one, on demand, until `drain` aborts. It does not wait then for a source that is slow
 * to return the next text. It asks for the iterator immediately, as a loop does: lines of a `readline` interface that
 * come before are lost.
 */
export function takeSources(
  texts: Iterable<unknown> | AsyncIterable<unknown>,
  drain: AbortSignal,
): AsyncGenerator<TextSource, void, undefined> {
  const items = Symbol.asyncIterator in texts ? texts[Symbol.asyncIterator]() : texts[Symbol.iterator]()
  const sources = generateSources(items, drain)
  // Runs to its `try`, so that `return()` closes the iterator even if no text was taken.
  void sources.next()
  return sources as AsyncGenerator<TextSource, void, undefined>
}

/** Yields undefined first. */
async function* generateSources(
  items: Iterator<unknown> | AsyncIterator<unknown>,
  drain: AbortSignal,
): AsyncGenerator<TextSource | undefined, void, undefined> {
  let state = 'idle' as 'idle' | 'pending' | 'done'
  const takeNext = async () => {
    state = 'pending'
    try {
      const next = await items.next()
      state = next.done ? 'done' : 'idle'
      return next
    } catch (error) {
      state = 'done'
      throw error
    }
  }
  try {
    yield
    for (let index = 0; !drain.aborted; index++) {
      const next = await unlessAborted(takeNext(), drain)
      if (next === undefined || next.done) return
      const { id = `text-${index + 1}` } = (next.value ?? {}) as { id?: unknown }
      yield { index, path: String(id), namedByUser: true, item: next.value }
    }
  } finally {
    if (state === 'idle') await closeIterator(items)
    // A pending `next()` blocks `return()` until the source has returned the item, so this is not awaited.
    if (state === 'pending') void closeIterator(items)
  }
}

/** Closes a source. Its errors are ignored, because nothing reads from it any more. */
async function closeIterator(items: Iterator<unknown> | AsyncIterator<unknown>): Promise<void> {
  try {
    await items.return?.()
  } catch {}
}

/** Reads one item. Never throws: an invalid item becomes an input problem. */
export async function readText({ item, ...source }: TextSource): Promise<Document | InputProblem> {
  const { text, upload, marks, error } =
    typeof item === 'string'
      ? { text: item }
      : ((item ?? {}) as Record<'text' | 'upload' | 'marks' | 'error', unknown>)
  const { type, message } = (error ?? {}) as { type?: unknown; message?: unknown }
  if (typeof type === 'string' && typeof message === 'string') return { action: 'fail', type, message }
  if (typeof text !== 'string')
    return {
      action: 'fail',
      type: 'not_text',
      message: `expected a string or { id, text }, got ${describeType(item)}`,
    }
  if (text.trim() === '') return { action: 'fail', type: 'empty_text', message: 'the text is empty' }
  if (upload !== undefined && !isUpload(upload))
    return { action: 'fail', type: 'invalid_upload', message: 'its upload is neither a PDF nor images' }
  const wellFormedText = replaceLoneSurrogates(text).replace(/^\ufeff/, '')
  const bytes = Buffer.from(wellFormedText)
  const sha256 = hash('sha256', bytes)
  return {
    ref: source,
    text: wellFormedText,
    fingerprint: { size: bytes.length, sha256 },
    ...(upload !== undefined && { upload }),
    ...(isMarks(marks) && { marks }),
  }
}

function describeType(item: unknown): string {
  if (item === null) return 'null'
  return typeof item === 'object' ? 'an object without a text' : typeof item
}
