import { findErrorType } from './api-error.ts'
import type { Message } from './api-message.ts'
import { createMessage } from './create-message.ts'
import { type ReadPdf, readCitablePdf } from './read-citable-pdf.ts'
import type { Script } from './script.ts'
import { type MessageRequest, validateRequest } from './validate-request.ts'

export interface ItemProcessorOptions {
  /** Whether the batch takes so long that its requests expire. */
  readonly isTooSlow: boolean
  readonly script: Script
  readonly readPdf: ReadPdf | undefined
  readonly chooseResult: ((request: MessageRequest) => 'expired' | 'canceled' | undefined) | undefined
  readonly onMessage: (request: MessageRequest, message: Message) => void
}

/** The result of one request of a batch: a line of the results without its `custom_id`. */
export type BatchItemResult = Readonly<Record<string, unknown>> & {
  readonly type: 'succeeded' | 'errored' | 'canceled' | 'expired'
}

/**
 * Returns a function that processes one request of a batch. Its parameters: `params`, the request as it was
 * sent, and `isCanceled`, whether the batch was canceled before this request was processed.
 */
export function createItemProcessor({
  isTooSlow,
  script,
  readPdf,
  chooseResult,
  onMessage,
}: ItemProcessorOptions): (params: Buffer, isCanceled: boolean) => Promise<BatchItemResult> {
  let processedCount = 0
  return async (params, isCanceled) => {
    if (isCanceled) return { type: 'canceled' }
    if (isTooSlow) return { type: 'expired' }
    const valid = validateRequest(JSON.parse(params.toString('utf8')), 'messages')
    if ('status' in valid) return toErroredResult(valid.type, valid.message)
    const request = await readCitablePdf(valid, readPdf)
    if (request.stream) return toErroredResult('invalid_request_error', 'stream: is not supported in batches')
    const result = chooseResult?.(request)
    if (result !== undefined) return { type: result }
    const index = processedCount++
    const behaviour = script({ index, request })
    if (behaviour.kind === 'status')
      return toErroredResult(
        findErrorType(behaviour),
        behaviour.message ?? `simulated ${behaviour.status}`,
        behaviour.code,
      )
    const message = withBatchTier(createMessage(request, index, behaviour.kind === 'answer' ? behaviour : {}))
    onMessage(request, message)
    return { type: 'succeeded', message }
  }
}

function toErroredResult(type: string, message: string, code?: string): BatchItemResult {
  const details = code !== undefined && { details: { error_code: code } }
  return { type: 'errored', error: { type: 'error', error: { type, message, ...details }, request_id: null } }
}

function withBatchTier(message: Message): Message {
  const { usage } = message
  return typeof usage === 'object' ? { ...message, usage: { ...usage, service_tier: 'batch' } } : message
}
