/**
 * An official client of Anthropic: `Anthropic`, or `AnthropicBedrock`, `AnthropicVertex`, `AnthropicFoundry` or
 * `AnthropicAws` of their packages. The type lists only what is used, so that any version with that fits.
 */
export interface OfficialClient {
  /** @internal */
  post(path: string, options?: never): { asResponse(): Promise<Response> }
  /** @internal */
  get(path: string, options?: never): { asResponse(): Promise<Response> }
  /** @internal */
  buildRequest(options: never): Promise<{ readonly url: string }>
  /** @internal */
  withOptions?(options: never): OfficialClient
}

/** Whether the service of a client has the Message Batches API. */
export function hasBatches(client: OfficialClient): boolean {
  const { messages } = client as { readonly messages?: { readonly batches?: unknown } }
  return messages?.batches !== undefined
}

/** Whether a value has the methods of an official client. */
export function isOfficialClient(value: unknown): value is OfficialClient {
  const methods: Partial<Record<keyof OfficialClient, unknown>> = Object(value)
  return [methods.post, methods.get, methods.buildRequest].every((method) => typeof method === 'function')
}
