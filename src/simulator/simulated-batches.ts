import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { sendError } from './api-error.ts'
import { type BatchCall, parseCall } from './batch-call.ts'
import type { BatchFault } from './batch-fault.ts'
import {
  type BatchRegistryContext,
  type BatchRegistryOptions,
  createBatchRegistry,
} from './batch-registry.ts'
import { sendBatchResults } from './send-batch-results.ts'
import { sendBody } from './send-body.ts'

export interface SimulatedBatchesOptions extends BatchRegistryOptions {
  /** Returns the fault of a call, if any; called for every call. */
  readonly chooseFault?: (call: BatchCall) => BatchFault | undefined
  /** Changes the lines of the results, without line breaks, before they are sent. */
  readonly changeResults?: (lines: readonly string[]) => readonly string[]
}

export interface SimulatedBatchesContext extends BatchRegistryContext {
  readonly options: SimulatedBatchesOptions
  readonly headers: () => Record<string, string>
}

export interface BatchStats {
  /** Created batches. */
  readonly created: number
  /** Requests in these batches. */
  readonly requests: number
  readonly calls: Readonly<Record<BatchCall, number>>
}

export interface SimulatedBatches {
  /** Handles a request to the Batches API. @returns false for any other request */
  handle(path: string, incoming: IncomingMessage, response: ServerResponse): Promise<boolean>
  stats(): BatchStats
}

/**
 * Creates a Message Batches API, as strict as the real one. Ids, sizes and shapes are checked when a batch is
 * created; parameters only when it is processed. Counts stay at zero until the end. Results are in random
 * order.
 * @see https://platform.claude.com/docs/en/build-with-claude/batch-processing
 */
export function createSimulatedBatches(context: SimulatedBatchesContext): SimulatedBatches {
  const { options, headers } = context
  const { chooseFault, changeResults } = options
  const calls = { create: 0, list: 0, retrieve: 0, results: 0, cancel: 0, delete: 0 }
  const registry = createBatchRegistry(context)

  const answerResults = async (id: string, fault: BatchFault | undefined, response: ServerResponse) => {
    const lines = await registry.findResults(id)
    if (lines === undefined)
      return sendError(response, headers(), { status: 404, message: `no results of message batch ${id}` })
    const cut = fault !== undefined && 'cutAfter' in fault ? fault : undefined
    return sendBatchResults(response, headers(), changeResults?.([...lines]) ?? lines, cut)
  }

  return {
    stats: () => ({ ...registry.getCounts(), calls: { ...calls } }),
    async handle(path, incoming, response) {
      const call = parseCall(incoming.method, path)
      if (call === undefined) return false
      calls[call.name]++
      const fault = chooseFault?.(call.name)
      if (fault !== undefined && 'status' in fault) {
        incoming.resume()
        sendError(response, headers(), fault)
      } else if (isLost(fault, 'before')) incoming.socket.resetAndDestroy()
      else if (call.name === 'results') await answerResults(call.id, fault, response)
      else {
        const body = await registry.runCall(call.name, call.id, incoming)
        if (fault !== undefined && 'lateMs' in fault) await delay(fault.lateMs)
        if (isLost(fault, 'after')) response.socket?.resetAndDestroy()
        else if (body.status !== undefined) sendError(response, headers(), body)
        else sendBody(response, body, headers())
      }
      return true
    },
  }
}

function isLost(fault: BatchFault | undefined, when: 'before' | 'after'): boolean {
  return fault !== undefined && 'lost' in fault && fault.lost === when
}
