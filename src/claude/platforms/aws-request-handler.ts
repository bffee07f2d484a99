import type { SdkClientContext } from '../sdk-client.ts'

/** A request of a client of AWS. */
interface AwsRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/**
 * Returns the HTTP handler for requests for credentials (STS, SSO). It sends them as all others are sent: through the
 * proxies of the environment, with the same timeouts. The handlers of AWS know no proxies.
 */
export function createAwsRequestHandler(send: SdkClientContext['fetch']) {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request: AwsRequest, { abortSignal }: { readonly abortSignal?: AbortSignal } = {}) {
      const response = await send(formatUrl(request), {
        method: request.method,
        headers: withoutHost(request.headers),
        ...(request.body !== undefined && { body: request.body as string }),
        ...(abortSignal !== undefined && { signal: abortSignal }),
      })
      return {
        response: {
          statusCode: response.status,
          headers: Object.fromEntries(response.headers.entries()),
          body: response.body,
        },
      }
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
    destroy() {},
  }
}

function formatUrl({ protocol, hostname, port, path, query = {} }: AwsRequest): string {
  const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`)
  for (const [name, values] of Object.entries(query))
    for (const value of [values ?? ''].flat()) url.searchParams.append(name, value)
  return url.href
}

/** The connection sets this header itself. */
function withoutHost(headers: AwsRequest['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'host'))
}
