import { AskError } from '../../core/errors/ask-error.ts'
import type { Clock } from '../../core/rate-limit/clock.ts'
import {
  type Came,
  estimate,
  type LimitName,
  type LimitRates,
  mustWait,
  newPace,
  type PaceAccount,
  type PaceState,
  sending,
  settled,
} from '../../core/rate-limit/limiter-state.ts'
import type { Ask } from '../../core/request/ask.ts'
import { lengthOf, type Request } from '../../core/request/request.ts'
import { underBoth } from '../with-any-signal.ts'
import type { Gate } from './circuit-breaker.ts'
import type { Followed } from './track-document.ts'
import { createLine } from './waiting-line.ts'

export interface PaceOptions {
  readonly given: LimitRates
  /** The most slots there may be. */
  readonly mostSlots: number
  /** A low guess of how many characters of a prompt make a token. */
  readonly charactersPerToken: number
  readonly gate: Pick<Gate, 'closedFor'>
  /** Begins to follow one document. */
  readonly follow: () => Followed
  readonly clock: Clock
}

export interface Pace {
  /**
   * Lets the requests of one document out at the pace the limits allow; all documents that share it are served in order.
   * @param drain aborted: nothing more of this `ask` is let out
   */
  paced(ask: Ask, drain: AbortSignal): Ask
  account(): PaceAccount
}

/** A request in line. */
interface Waiting {
  readonly document: Followed
  readonly characters: number
  readonly maxTokens: number
  /** The limit it waited for last. */
  waited: LimitName | undefined
}

/** A level may be corrected upwards while somebody waits for it: milliseconds. */
const lookAgainMs = 100
/** The loop around the decisions of `core/rate-limit/limiter-state.ts`. */
export function createPace(options: PaceOptions): Pace {
  const { gate, clock } = options
  let state: PaceState = newPace(options.given, options.charactersPerToken, clock.now())
  const waitedFor = new Map<LimitName, number>()
  let [unhindered, inFlight, mostInFlight] = [0, 0, 0]
  let latest: LimitName | undefined

  let timer = new AbortController()

  /** Has the first in line asked about again when something may have changed by itself. */
  const lookAgainIn = (ms: number) => {
    timer.abort()
    timer = new AbortController()
    clock.sleep(ms, timer.signal).then(line.advance, () => {})
  }
  const line = createLine((waiting: Waiting) => {
    const closedMs = gate.closedFor()
    if (closedMs > 0) {
      if (Number.isFinite(closedMs)) lookAgainIn(closedMs)
      return undefined
    }
    const { characters, maxTokens, waited } = waiting
    const cost = estimate(state, characters, maxTokens)
    const wait = mustWait(state, cost, clock.now())
    if (wait.ms > 0) {
      waiting.waited = wait.limit
      lookAgainIn(Math.min(wait.ms, lookAgainMs))
      return undefined
    }
    const after = sending(state, cost, characters, clock.now())
    state = after.state
    latest = waited
    if (waited === undefined) unhindered++
    else waitedFor.set(waited, (waitedFor.get(waited) ?? 0) + 1)
    return { expected: after.sent, sent: waiting.document.sent(characters), waited }
  })
  const admitted = (request: Request, document: Followed, signal: AbortSignal) => {
    const { maxTokens } = request
    const waiting: Waiting = { document, characters: lengthOf(request), maxTokens, waited: undefined }
    return line.join(waiting, signal, document.goesFirst()).finally(() => {
      if (line.length() === 0) timer.abort()
    })
  }

  const paced = (ask: Ask, drain: AbortSignal): Ask => {
    const document = options.follow()
    return async (request, signal, watch) => {
      const { expected, sent, waited } = await underBoth(drain, signal, (either) =>
        admitted(request, document, either),
      )
      mostInFlight = Math.max(mostInFlight, ++inFlight)
      const settle = (came: Came) => {
        inFlight--
        state = settled(state, expected, came, clock.now())
      }
      try {
        const reply = await ask(request, signal, watch)
        settle(reply)
        sent.answered(waited === undefined)
        return reply
      } catch (error) {
        if (!(error instanceof AskError)) {
          settle({})
          sent.left()
          throw error
        }
        const { limits } = error.fault
        settle(limits === undefined ? {} : { limits })
        throw sent.failed(error)
      } finally {
        line.advance()
      }
    }
  }

  return {
    paced,
    account: () => ({
      given: state.given,
      seen: state.seen,
      waitedFor,
      unhindered,
      mostInFlight,
      mostSlots: options.mostSlots,
      latest,
    }),
  }
}
