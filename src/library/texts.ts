import { hash } from 'node:crypto'
import type { Document, InputProblem, Source } from '../core/document/document.ts'
import { unlessAborted } from './unless-aborted.ts'

/** A text with a name. */
export interface Text {
  /** What its outcome is known by, and the model is told where the prompt says `{path}`. Default: `text-1`, `text-2`, … */
  readonly id?: string | undefined
  readonly text: string
}

/** One item as the caller gave it, which may be anything. */
export interface TextSource extends Source {
  readonly given: unknown
}

export type Texts = Iterable<string | Text> | AsyncIterable<string | Text>

/** @throws TypeError where it is nothing that texts can be taken from; a string is, but of its characters */
export function checkTexts(texts: Texts): void {
  const many = typeof texts === 'object' && texts !== null
  if (!many || !(Symbol.asyncIterator in texts || Symbol.iterator in texts))
    throw new TypeError('expected an iterable or async iterable of texts')
}

/**
 * Takes texts one by one, as they are asked for, until `drain` aborts; a source that is slow to bring the next one is
 * then not waited for.
 */
export async function* sourcesFrom(texts: Texts, drain: AbortSignal): AsyncGenerator<TextSource> {
  const items = Symbol.asyncIterator in texts ? texts[Symbol.asyncIterator]() : texts[Symbol.iterator]()
  let state = 'idle' as 'idle' | 'asked' | 'over'
  const take = async () => {
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
      const next = await unlessAborted(take(), drain)
      if (next === undefined || next.done) return
      const { id = `text-${index + 1}` } = (next.value ?? {}) as { id?: unknown }
      yield { index, path: String(id), named: true, given: next.value }
    }
  } finally {
    if (state === 'idle') await end(items)
    // One that was asked for its next item ends only once it has brought it.
    if (state === 'asked') void end(items)
  }
}

/** Tells a source that nobody wants more; what goes wrong there is nobody's business any more. */
async function end(items: Iterator<unknown> | AsyncIterator<unknown>): Promise<void> {
  try {
    await items.return?.()
  } catch {}
}

/** Reads one item. Nothing that it may be is thrown for. */
export async function readText({ given, ...source }: TextSource): Promise<Document | InputProblem> {
  const text = typeof given === 'string' ? given : (given as { text?: unknown } | null | undefined)?.text
  if (typeof text !== 'string')
    return {
      as: 'fail',
      type: 'not_text',
      message: `expected a string or { id, text }, got ${kindOf(given)}`,
    }
  if (text.trim() === '') return { as: 'fail', type: 'empty_text', message: 'the text is empty' }
  const whole = wholeCharacters(text).replace(/^\ufeff/, '')
  const bytes = Buffer.from(whole)
  const sha256 = hash('sha256', bytes)
  return { source, text: whole, bytes: { size: bytes.length, sha256 } }
}

/** A string cut in the middle of a character ends in half of it, which the service refuses as no JSON. */
export function wholeCharacters(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd')
}

function kindOf(given: unknown): string {
  if (given === null) return 'null'
  return typeof given === 'object' ? 'an object without a text' : typeof given
}
