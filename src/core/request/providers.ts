/** The services that answer requests, as the user names them. */
export const apiProviders = ['anthropic', 'bedrock', 'vertex', 'foundry', 'aws'] as const
export type ApiProvider = (typeof apiProviders)[number]

/**
 * Who answers a request: a service (under any base URL: a gateway's new address changes no answer) or the
 * simulator.
 */
export type ProviderName = ApiProvider | 'simulator'

/** What claude-batch must know about a service before it sends a request. */
export interface ProviderTraits {
  /** Its name for people. */
  readonly label: string
  /** Its name in OpenTelemetry: a value of `gen_ai.provider.name`. */
  readonly telemetryName: string
  /** Whether it has the Message Batches API. */
  readonly hasBatches: boolean
  /** Whether it counts the tokens of a request without sending it to the model. */
  readonly countsTokens: boolean
  /** Whether its replies have the headers of rate limits. */
  readonly sendsRateLimits: boolean
  /** How much one request may upload: bytes of the files, a fourth less than of the request, where they are in base64. */
  readonly maxUploadBytes: number
  /** How large one image may be: bytes of the file. */
  readonly maxImageBytes: number
  /** Whether prices and retirement dates are those of Anthropic. Other services set their own. */
  readonly hasOwnTerms: boolean
}

/**
 * Anthropic takes requests of 32 MB, and images of 10 MiB in base64.
 * @see https://platform.claude.com/docs/en/api/overview#request-size-limits
 */
const anthropicSizes = { maxUploadBytes: 22_000_000, maxImageBytes: 7_800_000 } as const

/**
 * The limit of images was 5 MiB in base64 everywhere, and only Anthropic's is known to be higher now.
 * @see https://github.com/anthropics/claude-code/issues/11181
 */
const maxImageBytesElsewhere = 3_900_000

/** @see https://platform.claude.com/docs/en/build-with-claude/claude-on-amazon-bedrock and its siblings */
export const providerTraits: Readonly<Record<ProviderName, ProviderTraits>> = {
  anthropic: {
    label: 'Anthropic',
    telemetryName: 'anthropic',
    hasBatches: true,
    countsTokens: true,
    sendsRateLimits: true,
    ...anthropicSizes,
    hasOwnTerms: false,
  },
  bedrock: {
    label: 'Amazon Bedrock',
    telemetryName: 'aws.bedrock',
    hasBatches: false,
    countsTokens: false,
    sendsRateLimits: false,
    // Requests of 20 MB.
    maxUploadBytes: 13_000_000,
    maxImageBytes: maxImageBytesElsewhere,
    hasOwnTerms: true,
  },
  vertex: {
    label: 'Google Vertex AI',
    telemetryName: 'gcp.vertex_ai',
    hasBatches: false,
    countsTokens: true,
    sendsRateLimits: false,
    // Requests of 30 MB.
    maxUploadBytes: 20_000_000,
    maxImageBytes: maxImageBytesElsewhere,
    hasOwnTerms: true,
  },
  foundry: {
    label: 'Microsoft Foundry',
    telemetryName: 'azure.ai.inference',
    hasBatches: false,
    countsTokens: true,
    sendsRateLimits: false,
    ...anthropicSizes,
    maxImageBytes: maxImageBytesElsewhere,
    hasOwnTerms: true,
  },
  aws: {
    label: 'Claude Platform on AWS',
    telemetryName: 'anthropic',
    hasBatches: true,
    countsTokens: true,
    sendsRateLimits: true,
    ...anthropicSizes,
    hasOwnTerms: false,
  },
  simulator: {
    label: 'the simulator',
    telemetryName: 'claude_batch.simulator',
    hasBatches: true,
    countsTokens: true,
    sendsRateLimits: true,
    ...anthropicSizes,
    hasOwnTerms: false,
  },
}
