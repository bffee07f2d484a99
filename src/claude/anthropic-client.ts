import { BaseAnthropic } from '@anthropic-ai/sdk'
import { readCredentials } from './api-environment.ts'
import type { OpenSdkClient, SdkClientContext } from './sdk-client.ts'

/** Creates a client for Anthropic's API or a server that is compatible with it. */
export const openAnthropicClient: OpenSdkClient = ({ env, fetch, keySource, headers }) =>
  createAnthropic(fetch, {
    ...readCredentials(env),
    ...(headers !== undefined && { defaultHeaders: headers }),
    ...(keySource !== undefined && { apiKey: keySource.getKey, authToken: null }),
  })

/** Returns a function that creates a client for one server and ignores the environment. */
export function openClientOf({ url, key }: { readonly url: string; readonly key: string }): OpenSdkClient {
  return ({ fetch }) => createAnthropic(fetch, { baseURL: url, apiKey: key })
}

/** The SDK's log is off: it would write document text to stdout. */
function createAnthropic(
  fetch: SdkClientContext['fetch'],
  options: ConstructorParameters<typeof BaseAnthropic>[0],
): BaseAnthropic {
  return new BaseAnthropic({ ...options, fetch, logLevel: 'off' })
}
