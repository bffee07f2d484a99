import { BaseAnthropic } from '@anthropic-ai/sdk'
import { readCustomHeaders } from '../core/text/custom-headers.ts'
import { readCredentials } from './api-environment.ts'
import type { OpenSdkClient, SdkClientContext } from './sdk-client.ts'

/** Creates a client for Anthropic's API or a server that is compatible with it. */
export const openAnthropicClient: OpenSdkClient = ({ env, fetch, keySource, headers }) => {
  const credentials = readCredentials(env)
  const client = createAnthropic(
    fetch,
    { ...credentials, ...(keySource !== undefined && { apiKey: keySource.getKey, authToken: null }) },
    { ...readCustomHeaders(env), ...headers },
  )
  const hasConstantHeaders =
    keySource === undefined && (credentials.apiKey !== null || credentials.authToken !== null)
  return Object.assign(client, { hasConstantHeaders })
}

/** Returns a function that creates a client for one server and ignores the environment. */
export function openClientOf({ url, key }: { readonly url: string; readonly key: string }): OpenSdkClient {
  return ({ fetch }) => createAnthropic(fetch, { baseURL: url, apiKey: key }, {})
}

/** The SDK's log is off: it would write document text to stdout. */
function createAnthropic(
  fetch: SdkClientContext['fetch'],
  credentials: Partial<Pick<SdkOptions, 'baseURL' | 'apiKey' | 'authToken'>>,
  headers: Readonly<Record<string, string>>,
): BaseAnthropic {
  const client = new BaseAnthropic({ ...credentials, fetch, logLevel: 'off' })
  // The SDK adds the custom headers of the process, which may be the credentials of another account. It keeps them in
  // a field that its types hide.
  const { _options: options } = client as unknown as { readonly _options: Pick<SdkOptions, 'defaultHeaders'> }
  options.defaultHeaders = headers
  return client
}

type SdkOptions = NonNullable<ConstructorParameters<typeof BaseAnthropic>[0]>
