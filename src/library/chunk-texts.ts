import { resolveModelSettings } from '../config/model-settings.ts'
import { computeMaxDocumentChars } from '../core/chunking/chunk-plan.ts'
import type { ChunkPlanner } from '../core/chunking/chunk-planner.ts'
import type { Document } from '../core/document/document.ts'
import { countPromptCharacters } from '../core/request/request.ts'
import { detectTextKind } from '../core/text/text-kind.ts'
import { type ModelSettings, modelSettingNames } from './client-options.ts'
import { loadPrompt } from './library-prompt.ts'
import type { TextRequests } from './text-requests.ts'

/**
 * Returns a function that plans the requests of long texts. It loads what it needs for that with the first one.
 * @param overrides the model settings of the call
 * @param chunkTokens splits texts that are longer: tokens
 */
export function createChunkPlans(
  { prompt, buildContent, model, effort }: TextRequests,
  { maxTokens }: Pick<ModelSettings, 'maxTokens'>,
  chunkTokens: number | undefined,
): ChunkPlanner['planChunks'] {
  const isShort = ({ upload, ...asText }: Document) => {
    if (upload !== undefined) return false
    const request = buildContent({ ...asText, text: '' })
    const kind = detectTextKind(asText.ref.path, asText.text)
    const maxChars = computeMaxDocumentChars(request, kind, countPromptCharacters(request), chunkTokens)
    return maxChars === undefined || asText.text.length <= maxChars
  }
  const loadChunkPrompt = async (name: string) => {
    const prompt = await loadPrompt(name)
    return { prompt, settings: resolveModelSettings(prompt, { model, maxTokens, effort }, modelSettingNames) }
  }
  const loadPlanner = async () => {
    const { createChunkPlanner } = await import('../core/chunking/chunk-planner.ts')
    return createChunkPlanner({
      provider: 'anthropic',
      chunk: await loadChunkPrompt('chunk'),
      reduce: await loadChunkPrompt('reduce'),
      buildWholeContent: buildContent,
      citations: prompt.citations === true,
      chunkTokens,
      // Splitting a PDF takes a library that is larger than this one.
      splitPdf: async ({ pages }, limits) => ({
        action: 'fail',
        type: 'too_large',
        message: `its ${pages} pages do not fit into one request (at most ${limits.pages} pages and ${limits.bytes / 1e6} MB); split the PDF, or read it with pdf: 'text'`,
      }),
    })
  }
  let planner: Promise<ChunkPlanner> | undefined
  return async (document) => {
    if (isShort(document)) return undefined
    planner ??= loadPlanner()
    return (await planner).planChunks(document)
  }
}
