import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { sendError } from './api-error.ts'
import type { Message } from './api-message.ts'
import { createMessage } from './create-message.ts'
import type { Behaviour } from './script.ts'
import { type Interruption, sendJson, sendStream } from './send-message.ts'
import type { MessageRequest } from './validate-request.ts'

/** One request under way. */
export interface ScriptedExchange {
  readonly request: MessageRequest
  /** Which admitted request this is, from 0. */
  readonly index: number
  /** Headers for the answer, fresh at each call. */
  readonly headers: () => Record<string, string>
  /** Told of every message that is produced, also of one that then breaks off: it is billed. */
  readonly onMessage: (message: Message) => void
  /** Aborted when the client hangs up. */
  readonly disconnected: AbortSignal
}

/** Does to a request what the script says. Rejects when the client hangs up first. */
export async function applyBehaviour(
  behaviour: Behaviour,
  response: ServerResponse,
  performance: ScriptedExchange,
): Promise<void> {
  const { request, index, headers, onMessage, disconnected } = performance
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
  // Output counts toward the limit as it is produced, and is billed also where the connection then breaks.
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
