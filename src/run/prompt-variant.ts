import { resolveModelSettings } from '../config/model-settings.ts'
import type { Document } from '../core/document/document.ts'
import type { AnswerChecks, AnswerSettings } from '../core/request/answer-settings.ts'
import { buildRequest } from '../core/request/build-request.ts'
import { formatConstraints, type OutputConstraints } from '../core/request/output-constraints.ts'
import { type Prompt, renderPrompt } from '../core/request/render-prompt.ts'
import { chooseParameters, type Request } from '../core/request/request.ts'
import { hashSettings } from '../core/request/request-hash.ts'
import type { Provenance } from '../core/run/provenance.ts'
import { createAnswerChecks } from '../inputs/answer-checks/answer-checks.ts'
import { listReaderSettings } from '../inputs/read/readers/document-formats.ts'
import type { ChunkPlanner, loadChunkPlanner } from './chunk-planner.ts'
import { getProviderName } from './provider.ts'
import type { RequestOptions } from './request-options.ts'

/** One prompt version with its model: how it asks about a document, and what its answer must be. */
export interface PromptVariant {
  /** The prompt and its version: `summarize@v2`. */
  readonly name: string
  readonly answers: Omit<AnswerSettings, 'frontMatter'>
  readonly checks: AnswerChecks
  readonly provenance: Provenance
  readonly buildRequest: (document: Document) => Request
  readonly planChunks: ChunkPlanner['planChunks']
}

export interface PromptVariantOptions {
  readonly options: RequestOptions
  readonly constraints: OutputConstraints
  /** The JSON Schema of `--schema`, which overrides that of the prompt. */
  readonly schemaFlag: Readonly<Record<string, unknown>> | undefined
  readonly createChunkPlanner: Awaited<ReturnType<typeof loadChunkPlanner>>
}

/**
 * Returns a prompt version with its request builder, answer checks and settings hash.
 * @throws UsageError for a schema that cannot be used
 */
export async function createPromptVariant(
  prompt: Prompt,
  { options, constraints, schemaFlag, createChunkPlanner }: PromptVariantOptions,
): Promise<PromptVariant> {
  const name = `${prompt.name}@${prompt.version}`
  const schema = schemaFlag ?? prompt.schema
  const schemaSetting = schema === undefined ? {} : { schema }
  const parameters = { ...chooseParameters(resolveModelSettings(prompt, options)), ...schemaSetting }
  const answers = { maxTokens: parameters.maxTokens, ...schemaSetting, ...constraints }
  const schemaOrigin = schemaFlag === undefined ? `the schema of ${name}` : `--schema ${options.schema}`
  const checks = await createAnswerChecks(answers, schemaOrigin)
  const provider = getProviderName(options)
  /** The chunk planner and the engine need the same request. */
  const builtRequests = new WeakMap<Document, Request>()
  const buildDocumentRequest = (document: Document): Request => {
    const { ref, upload } = document
    const built = builtRequests.get(document)
    if (built !== undefined) return built
    const messages = renderPrompt(prompt, document, options.var ?? {})
    const fields = {
      ...parameters,
      ...messages,
      user: messages.user + formatConstraints(constraints),
      ...(upload !== undefined && { upload }),
    }
    const request = buildRequest(fields, ref.path, provider)
    builtRequests.set(document, request)
    return request
  }
  const { planChunks, hash } = createChunkPlanner(provider, parameters, buildDocumentRequest)
  const settingsHash = hashSettings(buildDocumentRequest, [listReaderSettings(options), hash])
  const provenance = { prompt: name, model: parameters.model, settingsHash }
  return { name, answers, checks, provenance, buildRequest: buildDocumentRequest, planChunks }
}
