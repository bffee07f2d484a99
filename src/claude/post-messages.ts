import { APIConnectionError, APIError } from '@anthropic-ai/sdk'
import type { Abortable } from './abortable.ts'
import { normalizeRequestUrl } from './base-url.ts'
import type { Deadline } from './deadline.ts'
import type { PendingResponse, SdkClient } from './sdk-client.ts'
import { listSentSecrets } from './sent-secrets.ts'
import { type Connections, sendRequest } from './transport.ts'
import { parseJson } from './wire-values.ts'

/** Sends a request for a message. @param stream whether the body asks for a stream */
export type PostMessages = (body: object, deadline: Deadline, stream: boolean) => PendingResponse

/**
 * Returns a function that sends requests as the SDK would, with the URL and the headers of one request that the SDK
 * has built. For each request, the SDK's own steps cost as much CPU time as the request itself.
 * @param client one with `hasConstantHeaders`
 * @param onSecret called with the secrets in the headers
 * @param publicHeaders lower-case names of headers that contain no secrets
 */
export function createPostMessages(
  client: Pick<SdkClient, 'buildRequest'>,
  timeoutMs: number,
  connections: Pick<Connections, 'getDispatcher'>,
  onSecret: (secret: string) => void,
  publicHeaders: readonly string[],
): PostMessages {
  const prepare = async () => {
    const { req, url } = await client.buildRequest({
      method: 'post',
      path: '/v1/messages',
      body: {},
      timeout: timeoutMs,
    })
    const headers = new Headers(req.headers)
    listSentSecrets(headers, publicHeaders).forEach(onSecret)
    const target = new URL(normalizeRequestUrl(url))
    return {
      target,
      headers: [...headers].flat(),
      dispatcher: await connections.getDispatcher(target.href),
    }
  }
  let prepared: ReturnType<typeof prepare> | undefined
  const send = async (body: object, signal: Abortable): Promise<Response> => {
    prepared ??= prepare()
    const { target, headers, dispatcher } = await prepared
    const request = { method: 'POST', headers, body: JSON.stringify(body), signal }
    const response = await sendRequest(target, request, dispatcher).catch((cause: unknown) => {
      throw new APIConnectionError({ cause: cause as Error })
    })
    const { headers: responseHeaders, status } = response as unknown as Response
    if (response.ok) return response as unknown as Response
    const text = await response.text().catch((error: unknown) => (error as Error).message)
    const json = parseJson(text)
    throw APIError.generate(status, json as object, json === undefined ? text : undefined, responseHeaders)
  }
  return (body, deadline) => ({ asResponse: () => send(body, deadline) })
}
