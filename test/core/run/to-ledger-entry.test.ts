import { expect, it } from 'vitest'
import { AskError } from '../../../src/core/errors/ask-error.ts'
import type { Attempt } from '../../../src/core/request/attempt.ts'
import type { Reply } from '../../../src/core/request/reply.ts'
import type { Request } from '../../../src/core/request/request.ts'
import type { Clock } from '../../../src/core/run/clock.ts'
import type { Outcome } from '../../../src/core/run/outcome.ts'
import { toLedgerEntry } from '../../../src/core/run/to-ledger-entry.ts'
import { type AttemptListener, withAttemptLog } from '../../../src/engine/middleware/with-attempt-log.ts'

const facts = { prompt: 'p@v1', model: 'm', settingsHash: 'r' }
const request = { path: 'a.md', attemptNumber: 1, model: 'm', hash: 'k' } as Request
const reply: Reply = { text: 'A text.', stopReason: 'end_turn', model: 'm', attempts: [] }

/**
 * The ledger entry of a document with two attempts of 1 s each that start 3 s apart. Between them, the
 * system clock is adjusted by `byMs`.
 */
async function timesWhenClockIsSet(byMs: number) {
  let [now, wall] = [0, Date.parse('2026-11-22T12:00:00Z')]
  const clock: Clock = { now: () => now, wallTime: () => wall, sleep: async () => {} }
  const attempts: Attempt[] = []
  const listener: AttemptListener = { onSend() {}, onEnd: (attempt) => void attempts.push(attempt) }
  const fault = { kind: 'status', status: 529, type: 'overloaded_error', message: '' } as const
  const ask = withAttemptLog(
    async () => {
      now += 1000
      wall += 1000
      if (attempts.length === 0) throw new AskError(fault)
      return reply
    },
    clock,
    listener,
  )
  await ask(request, new AbortController().signal).catch(() => {})
  now += 2000
  wall += 2000 + byMs
  await ask(request, new AbortController().signal)
  const source = { index: 0, path: 'a.md', namedByUser: true }
  const failure = { kind: 'reply', type: 'refusal', message: '', transient: false } as const
  const outcome: Outcome = { document: source, attempts, elapsedMs: 4500, status: 'failed', failure }
  return toLedgerEntry(outcome, '2026-11-22T12:00:00.000Z', facts)
}

it.each([0, -3_600_000, 3_600_000])(
  'the durations in a ledger entry are correct if the system clock is adjusted by %d ms',
  async (byMs) => {
    expect(await timesWhenClockIsSet(byMs)).toMatchObject({
      elapsed_ms: 4500,
      wait_ms: 500,
      retry_ms: 3000,
      latency_ms: 1000,
    })
  },
)
