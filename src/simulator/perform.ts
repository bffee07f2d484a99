import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { sendError } from './api-error.ts'
import type { Message } from './api-message.ts'
import { messageFor } from './build-message.ts'
import { type Break, sendJson, sendStream } from './respond.ts'
import type { Behaviour } from './script.ts'
import type { MessageRequest } from './validate.ts'

/** One request under way. */
export interface Performance {
  readonly request: MessageRequest
  /** Which admitted request this is, from 0. */
  readonly index: number
  /** Headers for the answer, fresh at each call. */
  readonly headers: () => Record<string, string>
  /** Told of every message that is produced, also of one that then breaks off: it is billed. */
  readonly produced: (message: Message) => void
  /** Aborted when the client hangs up. */
  readonly gone: AbortSignal
}

/** Does to a request what the script says. Rejects when the client hangs up first. */
export async function perform(
  behaviour: Behaviour,
  response: ServerResponse,
  performance: Performance,
): Promise<void> {
  const { request, index, headers, produced, gone } = performance
  const wait = (ms: number) => delay(Math.min(ms, 2 ** 31 - 1), undefined, { signal: gone })
  switch (behaviour.kind) {
    case 'status':
      await wait(behaviour.delayMs ?? 0)
      return sendError(response, headers(), behaviour)
    case 'raw':
      response.writeHead(behaviour.status, behaviour.headers)
      response.end(behaviour.body)
      return
    case 'by-hand':
      return behaviour.respond(response, messageFor(request, index, {}))
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
  const broken = breakOf(behaviour)
  const message = messageFor(request, index, behaviour.kind === 'answer' ? behaviour : {})
  const send = request.stream ? sendStream : sendJson
  const overMs = 'delayMs' in behaviour ? (behaviour.delayMs ?? 0) : 0
  const broke = broken !== undefined && { broken }
  // Output counts toward the limit as it is produced, and is billed also where the connection then breaks.
  await send(response, message, { headers: headers(), overMs, wait, ...broke }).finally(() =>
    produced(message),
  )
}

function breakOf(behaviour: Behaviour): Break | undefined {
  if (behaviour.kind === 'mid-stream-error') return { error: behaviour.type }
  const breaks = behaviour.kind === 'reset' || behaviour.kind === 'stall' || behaviour.kind === 'truncate'
  return breaks ? behaviour.kind : undefined
}
