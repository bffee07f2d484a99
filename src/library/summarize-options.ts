import { type Call, type CallOptions, readCallOptions } from './call-options.ts'
import { isOptions } from './check-arguments.ts'
import { type Client, getConnection } from './create-client.ts'
import type { Connection } from './create-connection.ts'
import { checkPrompt, type Prompt } from './define-prompt.ts'
import { checkTexts, type Texts } from './text-source.ts'

/** Options for texts. The model and its settings override those of the client and of the prompt. */
export interface SummarizeOptions<Data = unknown> extends CallOptions {
  /** The client that sends the requests. */
  readonly client: Client
  /** A prompt from `loadPrompt` or `definePrompt`. Default: the latest version of `summarize`. */
  readonly prompt?: Prompt<Data> | undefined
}

/** Arguments that have been checked. */
export interface SummarizeCall extends Call {
  readonly connection: Connection
  readonly prompt: Prompt | undefined
}

/**
 * Checks the arguments of a function for texts.
 * @param otherNames options of this function that are checked elsewhere
 * @throws TypeError that names the argument
 */
export function readSummarizeOptions(
  caller: string,
  texts: Texts,
  options: SummarizeOptions,
  otherNames: readonly string[] = [],
): SummarizeCall {
  checkTexts(caller, texts)
  if (!isOptions(options)) throw new TypeError(`${caller}: options must be an object with a client`)
  const { client, prompt } = options
  const connection = getConnection(caller, client)
  checkPrompt(caller, prompt)
  const call = readCallOptions(caller, options, connection.overrides, ['client', 'prompt', ...otherNames])
  return { ...call, connection, prompt }
}
