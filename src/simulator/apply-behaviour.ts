import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { sendError } from './api-error.ts'
import type { Message } from './api-message.ts'
import { createMessage } from './create-message.ts'
import type { Behaviour } from './script.ts'
import { type Interruption, sendJson, sendStream } from './send-message.ts'
import type { MessageRequest } from './validate-request.ts'

/** One request that the simulator is answering. */
export interface ScriptedExchange {
  readonly request: MessageRequest
  /** Index of the request among the admitted ones, from 0. */
  readonly index: number
  /** Returns the headers for an answer, new at each call. */
  readonly headers: () => Record<string, string>
  /** Called with every message that is produced, even if its response is then cut off: it is billed. */
  readonly onMessage: (message: Message) => void
  /** Aborted when the client hangs up. */
  readonly disconnected: AbortSignal
}

/** Answers a request as the script says. Rejects if the client hangs up first. */
export async function applyBehaviour(
  behaviour: Behaviour,
  response: ServerResponse,
  exchange: ScriptedExchange,
): Promise<void> {
  const { request, index, headers, onMessage, disconnected } = exchange
  const wait = (ms: number) => delay(Math.min(ms, 2 ** 31 - 1), undefined, { signal: disconnected })
  switch (behaviour.kind) {
    case 'status':
      await wait(behaviour.delayMs ?? 0)
      return sendError(response, headers(), behaviour)
    case 'raw':
      response.writeHead(behaviour.status, behaviour.headers)
      response.end(behaviour.body)
      return
    case 'by-hand':
      return behaviour.respond(response, createMessage(request, index, {}))
    case 'stall':
      if (!behaviour.afterHeaders) return wait(Number.POSITIVE_INFINITY)
      break
    case 'reset':
      if (behaviour.inBody) break
      await wait(behaviour.delayMs)
      response.socket?.resetAndDestroy()
      return
    case 'mid-stream-error':
      if (request.stream) break
      await wait(behaviour.delayMs)
      return sendError(response, headers(), { status: 529, type: behaviour.type, message: 'Overloaded' })
    case 'answer':
    case 'truncate':
      break
  }
  const interruption = toInterruption(behaviour)
  const message = createMessage(request, index, behaviour.kind === 'answer' ? behaviour : {})
  const send = request.stream ? sendStream : sendJson
  const durationMs = 'delayMs' in behaviour ? (behaviour.delayMs ?? 0) : 0
  const interruptionField = interruption !== undefined && { interruption }
  // Output counts toward the limit after it was produced, and is billed even if the connection then breaks.
  await send(response, message, { headers: headers(), durationMs, wait, ...interruptionField }).finally(() =>
    onMessage(message),
  )
}

function toInterruption(behaviour: Behaviour): Interruption | undefined {
  if (behaviour.kind === 'mid-stream-error') return { error: behaviour.type }
  const isInterruption =
    behaviour.kind === 'reset' || behaviour.kind === 'stall' || behaviour.kind === 'truncate'
  return isInterruption ? behaviour.kind : undefined
}
