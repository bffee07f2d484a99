import { resolveModelSettings } from '../config/model-settings.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { type ChunkPlanner, createChunkPlanner } from '../core/chunking/chunk-planner.ts'
import type { Document } from '../core/document/document.ts'
import type { RequestContent } from '../core/request/build-request.ts'
import type { ProviderName } from '../core/request/providers.ts'
import type { Prompt } from '../core/request/render-prompt.ts'
import type { RequestSettings } from '../core/request/request.ts'
import { loadPrompt } from '../inputs/prompts/load-prompt.ts'
import type { PromptLookupOptions } from '../inputs/prompts/prompt-lookup.ts'
import { UnreadableError } from '../inputs/read/readers/unreadable-error.ts'
import { checkCitable } from './check-citable.ts'

/** The names of the prompts for long documents. */
export interface ChunkPrompts {
  /** Summarizes one chunk. */
  readonly chunk: string
  /** Merges the summaries of chunks. */
  readonly reduce: string
}

/**
 * Finds and checks the prompts for chunks.
 * @returns a function that creates a planner for a provider and the settings of a prompt
 * @throws UsageError for an invalid prompt
 */
export async function loadChunkPlanner(
  { chunkTokens, maxTokens }: Pick<SummarizeOptions, 'maxTokens' | 'chunkTokens'>,
  lookup: PromptLookupOptions,
  { chunk, reduce }: ChunkPrompts = { chunk: 'chunk', reduce: 'reduce' },
): Promise<
  (
    provider: ProviderName,
    settings: RequestSettings,
    buildWholeContent: (document: Document) => RequestContent,
    citations: boolean,
  ) => ChunkPlanner
> {
  // The prompts get no variables of --var: a variable without a placeholder would be an error.
  const load = (name: string) => loadPrompt(name, { ...lookup, vars: [] })
  const [chunkPrompt, reducePrompt] = await Promise.all([load(chunk), load(reduce)])
  return (provider, { model, effort }, buildWholeContent, citations) => {
    for (const prompt of citations ? [chunkPrompt, reducePrompt] : []) checkCitable(prompt)
    const withSettings = (prompt: Prompt) => ({
      prompt,
      settings: resolveModelSettings(prompt, { model, maxTokens, effort }),
    })
    return createChunkPlanner({
      provider,
      chunk: withSettings(chunkPrompt),
      reduce: withSettings(reducePrompt),
      buildWholeContent,
      citations,
      chunkTokens,
      splitPdf: splitLoadedPdf,
    })
  }
}

const splitLoadedPdf: Parameters<typeof createChunkPlanner>[0]['splitPdf'] = async (pdf, limits) => {
  const { splitPdf } = await import('../inputs/read/readers/split-pdf.ts')
  return splitPdf(pdf, limits).catch((error: unknown) => {
    if (!(error instanceof UnreadableError)) throw error
    return { action: 'fail', type: error.type, message: error.message }
  })
}
