import { resolve } from 'node:path'
import { resolveModelSettings } from '../config/model-settings.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { type ChunkPlan, computeMaxDocumentChars } from '../core/chunking/chunk-plan.ts'
import type { Document, InputProblem } from '../core/document/document.ts'
import {
  formatConstraints,
  type OutputConstraints,
  type QualityIssue,
} from '../core/document/quality-checks.ts'
import type { AnswerSettings } from '../core/request/answer-settings.ts'
import { buildRequest } from '../core/request/build-request.ts'
import { pickVariant } from '../core/request/pick-variant.ts'
import { renderPrompt } from '../core/request/render-prompt.ts'
import { chooseParameters, countPromptCharacters, type Request } from '../core/request/request.ts'
import { hashSettings } from '../core/request/request-hash.ts'
import type { Provenance } from '../core/run/provenance.ts'
import { detectTextKind } from '../core/text/text-kind.ts'
import { UsageError } from '../errors.ts'
import { createAnswerChecks } from '../inputs/answer-checks/answer-checks.ts'
import { readSchema } from '../inputs/answer-checks/schema-check.ts'
import type { PromptOptions } from '../inputs/prompts/load-prompt.ts'
import { loadPromptVariants } from '../inputs/prompts/prompt-variants.ts'
import { listReaderSettings } from '../inputs/read/readers/document-formats.ts'
import { type ChunkPrompts, loadChunkPlanner } from './chunk-planner.ts'

/** How a run asks about its documents. */
export interface RequestBuilder {
  /** `summarize@v2`, or `summarize@v1=90,summarize@v2=10` where versions share the documents. */
  readonly prompt: string
  /** Why this version and where it comes from, for people: `pinned, prompts/summarize.yaml`. */
  readonly promptSource: string
  /** The model, of the first version where there are several. */
  readonly model: string
  /** All that will be asked. */
  readonly models: readonly string[]
  getProvenance(path: string): Provenance
  buildRequest(document: Document): Request
  /** The most characters of it that one request holds, by its name; undefined where nobody knows of a bound. */
  getMaxChars(path: string): number | undefined
  /** Why a whole answer is not what was asked for; undefined where it is. */
  validateReply(text: string, path: string): string | undefined
  /** Why a summary may be worth a look. @param text of the document, where it is at hand */
  checkQuality(summary: string, text: string | undefined): readonly QualityIssue[]
  /** What the prompt and the options decide about an answer: one object for all documents that it is the same for. */
  getAnswerSettings(path: string): Omit<AnswerSettings, 'frontMatter'>
  /** Answers are JSON objects. */
  readonly structured: boolean
  /** How it is asked about where one request does not hold it. */
  planChunks(document: Document): Promise<ChunkPlan | InputProblem | undefined>
}

/** The flags that shape requests. Whatever else does must be in the settings hash, too. */
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
>

/**
 * Finds and checks the prompts of a run.
 * @returns what it comes to at the endpoint that will be asked
 * @throws UsageError
 */
export async function loadRequestBuilder(
  options: RequestOptions,
  lookup: Pick<PromptOptions, 'cwd' | 'inputRoots'>,
  chunkPrompts?: ChunkPrompts,
): Promise<(endpoint: string) => RequestBuilder> {
  const vars = options.var ?? {}
  const constraints = await resolveConstraints(options)
  const { schema: schemaFile } = options
  const schemaFlag =
    schemaFile === undefined ? undefined : await readSchema(resolve(lookup.cwd, schemaFile), schemaFile)
  const prompts = await loadPromptVariants(options.prompt, { ...lookup, vars: Object.keys(vars) })
  const createChunkPlanner = await loadChunkPlanner(options, lookup, chunkPrompts)
  const variants = await Promise.all(
    prompts.map(async ({ value: prompt, weight: share }) => {
      const name = `${prompt.name}@${prompt.version}`
      const schema = schemaFlag ?? prompt.schema
      const schemaSetting = schema === undefined ? {} : { schema }
      const parameters = { ...chooseParameters(resolveModelSettings(prompt, options)), ...schemaSetting }
      const answers = { maxTokens: parameters.maxTokens, ...schemaSetting, ...constraints }
      const schemaOrigin = schemaFlag === undefined ? `the schema of ${name}` : `--schema ${schemaFile}`
      return {
        share,
        prompt,
        parameters,
        name,
        answers,
        checks: await createAnswerChecks(answers, schemaOrigin),
      }
    }),
  )
  const structuredCount = variants.filter(({ answers }) => answers.schema !== undefined).length
  if (structuredCount > 0 && structuredCount < variants.length)
    throw new UsageError(
      `--prompt ${options.prompt}: some of these versions have a schema and some have none`,
    )
  const [first] = variants
  if (first === undefined) throw new Error('a run has at least one prompt')
  const { why, origin } = first.prompt
  const { checkQuality } = first.checks
  return (baseUrl) => {
    const weightedBuilders = variants.map(({ share, name, prompt, parameters, answers, checks }) => {
      const buildVariantRequest = (document: Document): Request => {
        const { ref: source, pdf } = document
        const fields = {
          ...parameters,
          ...addConstraints(renderPrompt(prompt, document, vars), constraints),
          ...(pdf !== undefined && { pdf }),
        }
        return buildRequest(fields, source.path, baseUrl)
      }
      const { planChunks, hash } = createChunkPlanner(baseUrl, parameters, buildVariantRequest)
      const settingsHash = hashSettings(buildVariantRequest, [listReaderSettings(options), hash])
      const provenance: Provenance = { prompt: name, model: parameters.model, settingsHash }
      return {
        weight: share,
        value: {
          parameters,
          answers,
          checks,
          buildRequest: buildVariantRequest,
          planChunks,
          provenance,
        },
      }
    })
    const buildDocumentRequest = (document: Document) =>
      pickVariant(weightedBuilders, document.ref.path).buildRequest(document)
    return {
      prompt:
        variants.length === 1 ? first.name : variants.map(({ name, share }) => `${name}=${share}`).join(','),
      promptSource: `${why}, ${origin}`,
      model: first.parameters.model,
      models: variants.map(({ parameters }) => parameters.model),
      getProvenance: (path) => pickVariant(weightedBuilders, path).provenance,
      structured: structuredCount > 0,
      checkQuality,
      validateReply: (text, path) => pickVariant(weightedBuilders, path).checks.findMismatch(text),
      getAnswerSettings: (path) => pickVariant(weightedBuilders, path).answers,
      buildRequest: buildDocumentRequest,
      getMaxChars(path) {
        const fingerprint = { size: 0, sha256: '' }
        const emptyRequest = buildDocumentRequest({
          ref: { index: 0, path, namedByUser: true },
          text: '',
          fingerprint,
        })
        return computeMaxDocumentChars(
          emptyRequest,
          detectTextKind(path),
          countPromptCharacters(emptyRequest),
          options.chunkTokens,
        )
      },
      planChunks: (document) => pickVariant(weightedBuilders, document.ref.path).planChunks(document),
    }
  }
}

/** @throws UsageError for an unknown language */
async function resolveConstraints({
  language,
  words,
}: Pick<SummarizeOptions, 'language' | 'words'>): Promise<OutputConstraints> {
  const length = words === undefined ? {} : { words }
  if (language === undefined) return length
  const { findLanguageName } = await import('../inputs/answer-checks/language.ts')
  const languageName = findLanguageName(language)
  if (languageName === undefined)
    throw new UsageError(
      `--language ${language}: expected a language in English or its code, such as German or de`,
    )
  return { ...length, language: languageName }
}

function addConstraints(
  messages: Pick<Request, 'system' | 'user'>,
  constraints: OutputConstraints,
): Pick<Request, 'system' | 'user'> {
  return { ...messages, user: messages.user + formatConstraints(constraints) }
}
