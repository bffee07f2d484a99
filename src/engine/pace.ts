import type { Ask } from '../core/ask.ts'
import type { Clock } from '../core/clock.ts'
import { AskError, failureLine, failureOf, judge, StoppedError } from '../core/failure.ts'
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
} from '../core/pace.ts'
import { printable } from '../core/printable.ts'
import { lengthOf, type Request } from '../core/request.ts'
import { failed, fullBudget, isDown, succeeded } from '../core/retry-budget.ts'
import { cut, grown, newWindow, slots } from '../core/window.ts'
import type { Gate } from './gate.ts'
import { createLine } from './line.ts'
import { underBoth } from './under-both.ts'

export interface PaceOptions {
  readonly given: LimitRates
  /** Requests under way at once, to start with and at most. */
  readonly slots: { readonly first: number; readonly most: number }
  /** A low guess of how many characters of a prompt make a token. */
  readonly charactersPerToken: number
  readonly gate: Gate
  readonly clock: Clock
}

export interface Pace {
  /**
   * Lets requests out at the pace the limits allow, first come, first served, whoever of those that share it they are.
   * @param drain aborted: nothing more of this `ask` is let out
   */
  paced(ask: Ask, drain: AbortSignal): Ask
  /** How many requests may be under way now. */
  slots(): number
  account(): PaceAccount
}

/** A request in line. */
interface Waiting {
  readonly characters: number
  readonly maxTokens: number
  /** The limit it waited for last. */
  waited: LimitName | undefined
}

/** A level may be corrected upwards while somebody waits for it: milliseconds. */
const lookAgainMs = 100
/** What stays of the slots after a 429, and after another sign of overload. */
const keepOnLimit = 0.7
const keepOnOverload = 0.8

/** The loop around the decisions of `core/pace.ts`, `core/window.ts` and `core/retry-budget.ts`. */
export function createPace(options: PaceOptions): Pace {
  const { gate, clock } = options
  let state: PaceState = newPace(options.given, options.charactersPerToken, clock.now())
  let window = newWindow(options.slots.first, options.slots.most)
  let budget = fullBudget
  let latencyMs = 1000
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
    return { sent: after.sent, pass: gate.enter(), waited }
  })
  const admitted = (request: Request, signal: AbortSignal) => {
    const { maxTokens } = request
    const waiting: Waiting = { characters: lengthOf(request), maxTokens, waited: undefined }
    return line.join(waiting, signal).finally(() => {
      if (line.length() === 0) timer.abort()
    })
  }

  const paced =
    (ask: Ask, drain: AbortSignal): Ask =>
    async (request, signal, watch) => {
      const { sent, pass, waited } = await underBoth(drain, signal, (either) => admitted(request, either))
      const start = clock.now()
      mostInFlight = Math.max(mostInFlight, ++inFlight)
      const settle = (came: Came) => {
        inFlight--
        state = settled(state, sent, came, clock.now())
      }
      try {
        const reply = await ask(request, signal, watch)
        settle(reply)
        latencyMs += 0.2 * (clock.now() - start - latencyMs)
        window = grown(window, waited === undefined)
        budget = succeeded(budget)
        pass.admitted()
        return reply
      } catch (error) {
        if (!(error instanceof AskError)) {
          settle({})
          pass.left()
          throw error
        }
        const { fault } = error
        settle(fault.limits === undefined ? {} : { limits: fault.limits })
        const { retry, blame } = judge(fault)
        const limited = retry === 'free'
        if (limited || fault.status === 529)
          window = cut(window, limited ? keepOnLimit : keepOnOverload, clock.now(), latencyMs)
        if (!limited && blame === 'service') budget = failed(budget)
        const down = blame === 'service' && isDown(budget)
        if (!limited && !down) {
          pass.admitted()
          throw error
        }
        const asked = fault.retryAfter === undefined ? undefined : fault.retryAfter * 1000
        try {
          pass.refused(asked, printable(failureLine(failureOf(fault))))
        } catch (tooLong) {
          throw new StoppedError(tooLong as Error, error.attempts)
        }
        throw retry === 'never' ? error : new AskError(fault, error.attempts, true)
      } finally {
        line.advance()
      }
    }

  return {
    paced,
    slots: () => slots(window),
    account: () => ({
      given: state.given,
      seen: state.seen,
      waitedFor,
      unhindered,
      mostInFlight,
      mostSlots: window.most,
      latest,
    }),
  }
}
