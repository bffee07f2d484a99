import { type Again, AskError, StoppedError } from '../../core/errors/ask-error.ts'
import { judge } from '../../core/errors/classify-error.ts'
import { isLargest, isOwnTrouble } from '../../core/errors/document-error-rate.ts'
import { failureLine, failureOf } from '../../core/errors/failure.ts'
import { decideRefusal } from '../../core/errors/refusal.ts'
import { askedMs, isUnreachable } from '../../core/errors/request-error.ts'
import type { Clock } from '../../core/rate-limit/clock.ts'
import { printable } from '../../core/text/escape-control.ts'
import type { Health } from './api-health.ts'
import type { Gate, Pass } from './circuit-breaker.ts'

export interface FollowOptions {
  readonly health: Health
  readonly gate: Gate
  readonly maxWaitMs: number
  readonly clock: Pick<Clock, 'now'>
}

/** One document, from its first request to its last. */
export interface Followed {
  /** Its next request goes ahead of all others that wait. */
  goesFirst(): boolean
  /**
   * Its next request is sent now; the gate is open.
   * @param size characters of the prompt
   * @returns what must be told how the request ends
   */
  sent(size: number): Sent
}

interface Sent {
  /** @param slotsWereBound see `core/rate-limit/concurrency-limit.ts` */
  answered(slotsWereBound: boolean): void
  /** Its caller has left. */
  left(): void
  /** @returns what to throw: the same error and how to go on from it, or in a `StoppedError` what ends the run */
  failed(error: AskError): Error
}

/** A limit per minute is full again after a minute: a refusal that asks for more is not for want of room. */
const fullAgainMs = 60_000

/** Until then, other documents show whether they are refused, too. */
const secondTryMs = 1000

/**
 * Decides who has to wait for a failure: all documents, or only the one that met it. A document whose trouble is its own
 * (see `core/errors/document-error-rate.ts`) waits alone and uses up its attempts, whatever the failure.
 */
export function follow({ health, gate, maxWaitMs, clock }: FollowOptions): Followed {
  const document = {}
  /** The last request that had been sent, of all documents, when this one failed first. */
  let failedAt: number | undefined
  let failures = 0
  let refusals = 0
  let goesFirst = false
  let timesFirst = 0

  /** The others go on. */
  const alone = (pass: Pass, error: AskError) => {
    pass.left()
    return error
  }
  /** Nothing is sent for a while. */
  const everybody = (
    pass: Pass,
    { fault, attempts }: AskError,
    again: (openInMs: number) => Again,
    waitMs = askedMs(fault),
  ) => {
    try {
      const openInMs = pass.refused(waitMs, printable(failureLine(failureOf(fault))))
      return new AskError(fault, attempts, again(openInMs))
    } catch (tooLong) {
      return new StoppedError(tooLong as Error, attempts)
    }
  }
  /** It keeps its slot, to be there when the pause is over; refused again, it makes room for others. */
  const free = (openInMs: number): Again => ({ free: true, waitMs: failures === 1 ? 0 : openInMs })

  const unreachable = (pass: Pass, error: AskError) => {
    const isAlone = health.alarm()
    if (!health.isReached()) {
      // The address may be wrong, which is not worth a wait of --max-wait: one document tries until it has no attempts left.
      goesFirst = true
      return everybody(pass, error, () => ({ free: false, waitMs: 0 }))
    }
    // Others get through on connections that they have.
    if (isAlone) return alone(pass, new AskError(error.fault, error.attempts, { free: true }))
    return everybody(pass, error, () => ({ free: true, waitMs: 0 }))
  }

  const ownTrouble = (pass: Pass, error: AskError, isLarge: boolean) => {
    const waitMs = askedMs(error.fault) ?? 1000 * 2 ** timesFirst
    const isLimit = judge(error.fault).retry === 'free'
    if (!isLimit || waitMs > fullAgainMs || (timesFirst > 0 && !isLarge)) return alone(pass, error)
    // Others may always have taken the room it needs, so it is the first to be sent after a pause: once, or each time
    // where it is so large that it needs a limit which was left alone for long.
    goesFirst = true
    timesFirst++
    return everybody(pass, error, () => ({ free: false, waitMs: 0 }), waitMs)
  }

  /** The account is refused, and with it all documents, unless it is only this one. */
  const refused = (error: AskError, number: number) => {
    const { fault, attempts } = error
    const isSecondTry = refusals > 0
    const decision = decideRefusal({ fault, isSecondTry, ...health.refused(document, number, isSecondTry) })
    refusals++
    if (decision === 'run') return error
    if (decision === 'document') return new AskError({ ...fault, isOnlyThis: true }, attempts)
    return new AskError(fault, attempts, { free: true, isSecondTry: true, waitMs: secondTryMs })
  }

  const failed = (pass: Pass, error: AskError, number: number, size: number): Error => {
    const { fault } = error
    const { retry, blame } = judge(fault)
    health.ended(number)
    if (isUnreachable(fault)) return unreachable(pass, error)
    health.reached()
    if (blame !== 'service') {
      pass.admitted()
      return blame === 'run' ? refused(error, number) : error
    }
    failures++
    failedAt ??= health.latest()
    const others = health.resultsOfOthers(document, failedAt)
    const isOwn = isOwnTrouble(others, failures)
    const isTooLong = retry !== 'never' && (askedMs(fault) ?? 0) > maxWaitMs
    if (isTooLong && (health.alarm() || isOwn)) return alone(pass, error)
    if (isOwn) return ownTrouble(pass, error, isLargest(others, size))

    const isLimit = retry === 'free'
    const sign = isLimit ? 'limited' : fault.status === 529 ? 'overloaded' : undefined
    const isDown = health.failed({ number, document, size }, sign)
    if (isLimit || isTooLong || isDown) return everybody(pass, error, free)
    pass.admitted()
    return error
  }

  return {
    goesFirst: () => goesFirst,
    sent(size) {
      goesFirst = false
      const pass = gate.enter()
      const number = health.sent(document)
      const start = clock.now()
      return {
        answered(slotsWereBound) {
          health.ended(number)
          health.answered({ number, document, size }, clock.now() - start, slotsWereBound)
          pass.admitted()
        },
        left() {
          health.ended(number)
          pass.left()
        },
        failed: (error) => failed(pass, error, number, size),
      }
    },
  }
}
