import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Outcome, RequestMetadata } from '../../src/core/run/outcome.ts'
import { createStreamingSink } from '../../src/sinks/streaming-sink.ts'
import { createTextSink } from '../../src/sinks/text-sink.ts'

const source = { index: 0, path: 'a.md', namedByUser: true }
const requestMetadata: RequestMetadata = {
  requestHash: 'k',
  fingerprint: { size: 1, sha256: 's' },
  characters: 1,
  kind: 'prose',
}
const common = {
  document: source,
  requestMetadata,
  attempts: [],
  elapsedMs: 1,
}
const failure = { kind: 'stream', type: 'overloaded_error', message: 'Overloaded', transient: true } as const

/** Returns the text that the sink writes for pieces and an outcome. */
async function shown(pieces: readonly string[], outcome: Outcome, isTerminal = false): Promise<string> {
  let text = ''
  const write = async (piece: string) => {
    await Promise.resolve()
    text += piece
  }
  const sink = createStreamingSink(write, {
    isTerminal,
    onWriteError: () => expect.fail('there was no write error'),
  })
  for (const piece of pieces) sink.onText(piece)
  await sink.write(outcome)
  return text
}

describe('a summary that is shown while it is written', () => {
  it('has the same text as one that is written at the end', async () => {
    const piece = fc.oneof(
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.constantFrom(' ', '\n', '\n\n', '\u001b[2J', '\u2028'),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1 }), fc.boolean(), async (pieces, isTerminal) => {
        let whole = ''
        const write = async (text: string) => {
          whole += text
        }
        const outcome: Outcome = { ...common, status: 'summarized', text: pieces.join('') }
        await createTextSink(write, { headers: false, footnotes: true, isTerminal }).write(outcome)
        expect(await shown(pieces, outcome, isTerminal)).toBe(whole)
      }),
    )
  })

  it('that breaks off ends its line before the error', async () => {
    const failed: Outcome = { ...common, status: 'failed', failure }
    expect(await shown(['Half of'], failed)).toMatch(/^Half of\nERROR: stream overloaded_error: .*\n$/)
    expect(await shown([], failed)).toMatch(/^ERROR: /)
    const pending: Outcome = { ...common, status: 'pending', reason: 'stopped' }
    expect(await shown(['Half of'], pending)).toBe('Half of\n')
    expect(await shown([], pending)).toBe('')
  })
})
