import { type Call, type CallOptions, readCallOptions } from './call-options.ts'
import { isOptions } from './check-arguments.ts'
import { type Client, getConnection } from './create-client.ts'
import type { Connection } from './create-connection.ts'
import { checkPrompt, type Prompt } from './define-prompt.ts'
import { type CheckedStore, checkStore, createCheckedStore, type Store } from './store.ts'
import { checkTexts, type Texts } from './text-source.ts'

/** Options for texts. The model and its settings override those of the client and of the prompt. */
export interface SummarizeOptions<Data = unknown> extends CallOptions {
  /** The client that sends the requests. */
  readonly client: Client
  /** A prompt from `loadPrompt` or `definePrompt`. Default: the latest version of `summarize`. */
  readonly prompt?: Prompt<Data> | undefined
  /**
   * Keeps results, so that the same request is not paid for again by a later call, and batches. Default: nothing is kept.
   */
  readonly store?: Store | undefined
  /**
   * `live`: one request for each text. `batch`: Message Batches at half the price, which usually take less than an hour
   * and at most a day; they need a `store`. Default: `live`.
   */
  readonly mode?: 'live' | 'batch' | undefined
  /**
   * Splits texts that are longer, in tokens, from 1000 to 1,000,000. Default: what the model reads at its lowest price.
   * Texts that do not fit are summarized in chunks, and then the notes on these chunks.
   */
  readonly chunkTokens?: number | undefined
}

/** Arguments that have been checked. */
export interface SummarizeCall extends Call {
  readonly connection: Connection
  readonly prompt: Prompt | undefined
  readonly store: CheckedStore | undefined
  readonly mode: 'live' | 'batch'
  readonly chunkTokens: number | undefined
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
  const { client, prompt, store, mode = 'live', chunkTokens } = options
  const connection = getConnection(caller, client)
  checkPrompt(caller, prompt)
  checkStore(caller, store)
  if (mode !== 'live' && mode !== 'batch') throw new TypeError(`${caller}: mode must be live or batch`)
  if (mode === 'batch' && store === undefined)
    throw new TypeError(
      `${caller}: a batch needs a store, which keeps its id if the program ends: folderStore(folder), or memoryStore()`,
    )
  if (chunkTokens !== undefined && !isChunkSize(chunkTokens))
    throw new TypeError(`${caller}: chunkTokens must be a whole number from 1000 to 1000000`)
  const names = ['client', 'prompt', 'store', 'mode', 'chunkTokens', ...otherNames]
  const call = readCallOptions(caller, options, connection.overrides, names)
  return { ...call, connection, prompt, store: store && createCheckedStore(store), mode, chunkTokens }
}

function isChunkSize(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1000 && (value as number) <= 1_000_000
}
