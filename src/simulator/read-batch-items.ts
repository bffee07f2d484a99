import type { IncomingMessage } from 'node:http'
import { type ApiError, invalidRequestError } from './api-error.ts'
import { BodyError, splitRequests } from './batch-body.ts'
import type { BatchItem } from './simulated-batch.ts'
import { hasLoneSurrogate, loneSurrogateMessage } from './validate-request.ts'

const maxRequests = 100_000
const maxBodyBytes = 256_000_000

/**
 * Reads the body of a new batch. Checks only ids, sizes and shapes; parameters are checked when the batch is
 * processed.
 */
export async function readBatchItems(incoming: IncomingMessage): Promise<BatchItem[] | ApiError> {
  const items: BatchItem[] = []
  const ids = new Set<string>()
  let bytes = 0
  async function* countBytes() {
    for await (const chunk of incoming) {
      bytes += (chunk as Buffer).length
      if (bytes > maxBodyBytes) throw new BodyError('too large')
      yield chunk as Buffer
    }
  }
  try {
    for await (const element of splitRequests(countBytes())) {
      const item = JSON.parse(element.toString('utf8')) as unknown
      if (hasLoneSurrogate(item)) return invalidRequestError(loneSurrogateMessage)
      const { custom_id: id, params, ...more } = item as Record<string, unknown>
      const where = `requests.${items.length}`
      const [extra] = Object.keys(more)
      if (extra !== undefined) return invalidRequestError(`${where}.${extra}: Extra inputs are not permitted`)
      if (typeof id !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(id))
        return invalidRequestError(`${where}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'`)
      if (ids.has(id)) return invalidRequestError(`${where}.custom_id: duplicate ${id}`)
      if (typeof params !== 'object' || params === null || Array.isArray(params))
        return invalidRequestError(`${where}.params: Field required`)
      if (items.length === maxRequests)
        return invalidRequestError(`requests: at most ${maxRequests} are allowed`)
      ids.add(id)
      items.push({ id, params: Buffer.from(JSON.stringify(params)), result: undefined })
    }
  } catch (error) {
    // The rest of the body must be read; otherwise a client that is still sending never reads the response.
    incoming.resume()
    if (bytes > maxBodyBytes) return { status: 413, message: 'Request exceeds the maximum size' }
    if (error instanceof BodyError || error instanceof SyntaxError) return invalidRequestError(error.message)
    throw error
  }
  return items.length === 0 ? invalidRequestError('requests: List should have at least 1 item') : items
}
