import type { SummarizeOptions } from '../config/summarize-flags.ts'

/**
 * The flags that shape requests. Every other setting that shapes them must be part of the settings hash, too.
 */
export type RequestOptions = Pick<
  SummarizeOptions,
  | 'prompt'
  | 'model'
  | 'maxTokens'
  | 'effort'
  | 'var'
  | 'encoding'
  | 'pdf'
  | 'chunkTokens'
  | 'schema'
  | 'language'
  | 'words'
  | 'simulate'
  | 'provider'
> &
  Partial<Pick<SummarizeOptions, 'instructions' | 'citations' | 'convert'>>
