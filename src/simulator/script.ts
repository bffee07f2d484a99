import type { ServerResponse } from 'node:http'
import type { Message } from './api-message.ts'
import type { CitationFault } from './cited-content.ts'
import { createSeededRandom, sampleLogNormal } from './seeded-random.ts'
import type { MessageRequest } from './validate-request.ts'

/** One valid request, as passed to a script. */
interface ScriptedRequest {
  /** Index of the request, from 0. */
  readonly index: number
  readonly request: MessageRequest
}

/** The reaction of the simulator to one request. */
export type Behaviour =
  /** Answers; missing fields are derived from the document. `usage: null` omits the counts. */
  | {
      readonly kind: 'answer'
      readonly delayMs: number
      readonly text?: string
      readonly stopReason?: string
      readonly model?: string
      readonly usage?: unknown
      readonly content?: readonly unknown[]
      readonly stopDetails?: unknown
      /** What is wrong with the citations. */
      readonly wrongCitations?: CitationFault
    }
  /** Answers with an error; `body` replaces the API's error body. */
  | {
      readonly kind: 'status'
      readonly status: number
      readonly delayMs?: number
      readonly type?: string
      readonly message?: string
      readonly code?: string
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    }
  /** Resets the connection, before the answer or in the middle of it. */
  | { readonly kind: 'reset'; readonly inBody: boolean; readonly delayMs: number }
  /** Sends nothing more, before or after the headers, until the client hangs up. */
  | { readonly kind: 'stall'; readonly afterHeaders: boolean }
  /** Ends the response early, but without a connection error. */
  | { readonly kind: 'truncate'; readonly delayMs: number }
  /** Sends `event: error` after part of the text, or an error status if the answer is not streamed. */
  | { readonly kind: 'mid-stream-error'; readonly type: string; readonly delayMs: number }
  /** Sends exactly this response. */
  | {
      readonly kind: 'raw'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    }
  /** Lets the script send any response; `message` is the answer that the simulator would have sent. */
  | {
      readonly kind: 'by-hand'
      readonly respond: (response: ServerResponse, message: Message) => void | Promise<void>
    }

export type Script = (incoming: ScriptedRequest) => Behaviour

/** The faults that can be injected by rate, with descriptions. */
export const faults = {
  '400': 'answers 400 invalid_request_error',
  '401': 'answers 401 authentication_error',
  '403': 'answers 403 permission_error',
  '404': 'answers 404 not_found_error',
  '408': 'answers 408 timeout_error',
  '409': 'answers 409 conflict_error',
  '413': 'answers 413 request_too_large',
  '429': 'answers 429 rate_limit_error with retry-after: 1',
  '500': 'answers 500 api_error',
  '502': "answers 502 with a proxy's page",
  '503': 'answers 503 api_error',
  '504': 'answers 504 timeout_error',
  '529': 'answers 529 overloaded_error',
  reset: 'resets the connection before answering',
  'reset-in-body': 'resets the connection in the middle of the answer',
  stall: 'sends the headers, then nothing',
  truncate: 'ends the answer before it is complete',
  'mid-stream-error': 'sends overloaded_error in the middle of a stream',
  refusal: 'answers with stop_reason refusal',
  max_tokens: 'cuts the answer off with stop_reason max_tokens',
  empty: 'answers without any text',
  'wrong-citations': 'answers with citations of text that is not in the document',
} as const satisfies Record<string, string>

export type FaultName = keyof typeof faults
export type FaultRates = Partial<Record<FaultName, number>>

export interface Latency {
  readonly medianMs?: number
  /** Spread of the log-normal distribution; 0 for constant latency. */
  readonly sigma?: number
}

/**
 * Returns a script that chooses latencies and faults by seed and rate. The same seed and order of requests
 * give the same result.
 */
export function createSeededScript(
  rates: FaultRates,
  seed: number,
  { medianMs = 400, sigma = 0.3 }: Latency,
): Script {
  const random = createSeededRandom(seed)
  const entries = Object.entries(rates) as [FaultName, number][]
  return () => {
    const delayMs = sampleLogNormal(random, medianMs, sigma)
    let point = random()
    const name = entries.find(([, rate]) => {
      point -= rate
      return point < 0
    })?.[0]
    return name === undefined ? { kind: 'answer', delayMs } : toBehaviour(name, delayMs)
  }
}

/** Parses fault rates such as `529=0.05,reset=0.01`. @throws Error with one line that names the wrong part */
export function parseFaults(text: string): FaultRates {
  const rates: FaultRates = {}
  for (const part of text.split(',')) {
    const [name = '', rate = ''] = part.trim().split('=')
    if (!Object.hasOwn(faults, name))
      throw new Error(`unknown fault ${JSON.stringify(name)}; use one of ${Object.keys(faults).join(', ')}`)
    const rateValue = /^\d+(\.\d+)?$/.test(rate) ? Number(rate) : Number.NaN
    if (!(rateValue >= 0 && rateValue <= 1))
      throw new Error(
        `the rate of ${name} must be from 0 to 1, like ${name}=0.05, got ${JSON.stringify(part.trim())}`,
      )
    rates[name as FaultName] = rateValue
  }
  if (Object.values(rates).reduce((sum, rate) => sum + rate, 0) > 1)
    throw new Error('the rates add up to more than 1')
  return rates
}

function toBehaviour(name: FaultName, delayMs: number): Behaviour {
  switch (name) {
    case '429':
      return { kind: 'status', status: 429, headers: { 'retry-after': '1' } }
    case '502':
      return {
        kind: 'status',
        status: 502,
        headers: { 'content-type': 'text/html' },
        body: '<html><h1>502 Bad Gateway</h1></html>',
      }
    case 'reset':
      return { kind: 'reset', inBody: false, delayMs }
    case 'reset-in-body':
      return { kind: 'reset', inBody: true, delayMs }
    case 'stall':
      return { kind: 'stall', afterHeaders: true }
    case 'truncate':
      return { kind: 'truncate', delayMs }
    case 'mid-stream-error':
      return { kind: 'mid-stream-error', type: 'overloaded_error', delayMs }
    case 'refusal':
      return {
        kind: 'answer',
        delayMs,
        text: '',
        stopReason: 'refusal',
        stopDetails: { type: 'refusal', category: 'general_harms', explanation: null },
      }
    case 'max_tokens':
      return { kind: 'answer', delayMs, stopReason: 'max_tokens' }
    case 'wrong-citations':
      return { kind: 'answer', delayMs, wrongCitations: 'absent' }
    case 'empty':
      return { kind: 'answer', delayMs, content: [] }
    default:
      return { kind: 'status', status: Number(name), delayMs: delayMs / 10 }
  }
}
