import { resolveModelSettings } from '../config/model-settings.ts'
import type { ChunkPlanner } from '../core/chunking/chunk-planner.ts'
import type { Document } from '../core/document/document.ts'
import type { AnswerChecks, AnswerSettings } from '../core/request/answer-settings.ts'
import { buildRequest, type RequestContent } from '../core/request/build-request.ts'
import { formatConstraints, type OutputConstraints } from '../core/request/output-constraints.ts'
import { type Prompt, renderPrompt } from '../core/request/render-prompt.ts'
import { chooseParameters, type Request } from '../core/request/request.ts'
import { hashSettings } from '../core/request/request-hash.ts'
import type { Provenance } from '../core/run/provenance.ts'
import { CommandLineError } from '../errors.ts'
import { createAnswerChecks } from '../inputs/answer-checks/answer-checks.ts'
import { listReaderSettings } from '../inputs/read/readers/document-formats.ts'
import { checkCitable } from './check-citable.ts'
import type { loadChunkPlanner } from './load-chunk-planner.ts'
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
  const citedPrompt = options.citations ? { ...prompt, citations: true } : prompt
  if (citedPrompt.citations) checkCitable(citedPrompt)
  if (citedPrompt.citations && schema !== undefined)
    throw new CommandLineError(
      `${prompt.citations ? `the citations of ${name}` : '--citations'} cannot be combined with a JSON schema`,
    )
  const parameters = { ...chooseParameters(resolveModelSettings(prompt, options)), ...schemaSetting }
  const answers = {
    maxTokens: parameters.maxTokens,
    ...schemaSetting,
    ...constraints,
    ...(citedPrompt.citations && ({ citations: 'footnotes' } as const)),
  }
  const schemaOrigin = schemaFlag === undefined ? `the schema of ${name}` : `--schema ${options.schema}`
  const checks = await createAnswerChecks(answers, schemaOrigin)
  const provider = getProviderName(options)
  const buildContent = (document: Document): RequestContent => {
    const { upload } = document
    const messages = renderPrompt(citedPrompt, document, options.var ?? {})
    return {
      ...parameters,
      ...messages,
      user: messages.user + formatConstraints(constraints),
      ...(upload !== undefined && { upload }),
    }
  }
  const buildDocumentRequest = (document: Document) =>
    buildRequest(buildContent(document), document.ref.path, provider)
  const { planChunks, hash } = createChunkPlanner(
    provider,
    parameters,
    buildContent,
    citedPrompt.citations === true,
  )
  const settingsHash = hashSettings(buildDocumentRequest, [listReaderSettings(options), hash])
  const provenance = { prompt: name, model: parameters.model, settingsHash }
  return { name, answers, checks, provenance, buildRequest: buildDocumentRequest, planChunks }
}
