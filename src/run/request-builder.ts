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
import { CommandLineError, UsageError } from '../errors.ts'
import { createAnswerChecks } from '../inputs/answer-checks/answer-checks.ts'
import { readSchema } from '../inputs/answer-checks/schema-check.ts'
import type { PromptOptions } from '../inputs/prompts/load-prompt.ts'
import { loadPromptVariants } from '../inputs/prompts/prompt-variants.ts'
import { listReaderSettings } from '../inputs/read/readers/document-formats.ts'
import { type ChunkPrompts, loadChunkPlanner } from './chunk-planner.ts'
import { getProviderName } from './provider.ts'

/** The prompts and models of a run, as the ledger, reports and the terminal show them. */
export interface PromptChoice {
  /** `summarize@v2`, or `summarize@v1=90,summarize@v2=10` if several versions share the documents. */
  readonly prompt: string
  /** Why this version was chosen and where it comes from, for display: `pinned, prompts/summarize.yaml`. */
  readonly promptSource: string
  /** The model; that of the first version, if there are several. */
  readonly model: string
  /** All models that the run sends requests to. */
  readonly models: readonly string[]
  /** Whether answers are JSON objects. */
  readonly structured: boolean
  /** Returns the provenance of a document's summary, by the document's path. */
  getProvenance(path: string): Provenance
}

/** Builds the requests of documents. */
export interface RequestBuilder {
  buildRequest(document: Document): Request
  /** Splits long documents; undefined if each document is sent in one request. */
  readonly chunker: DocumentChunker | undefined
}

/** Splits documents that are too long for one request. */
interface DocumentChunker {
  /** Returns how many characters of a document fit into one request; undefined if no limit is known. */
  getMaxChars(path: string): number | undefined
  /** Returns how a long document is split; undefined if it fits into one request. */
  planChunks(document: Document): Promise<ChunkPlan | InputProblem | undefined>
}

/** Checks the replies to requests. */
export interface ReplyChecks {
  /** Returns how a complete reply violates its schema; undefined if it does not. */
  validateReply(text: string, path: string): string | undefined
  /** Returns the failed quality checks of a summary. @param text the document's text, if the caller has it */
  checkQuality(summary: string, text: string | undefined): readonly QualityIssue[]
  /** Returns the answer settings of a document: the same object for all documents with the same settings. */
  getAnswerSettings(path: string): Omit<AnswerSettings, 'frontMatter'>
}

/** Builds the requests of a run that summarizes documents, and checks their replies. */
export interface SummaryRequestBuilder extends RequestBuilder, ReplyChecks {}

/** The prompts of a run, and the requests built from them. */
export interface RunRequests {
  readonly promptChoice: PromptChoice
  /** Undefined for a run that only collects batches and so sends no requests. */
  readonly requestBuilder: SummaryRequestBuilder | undefined
}

/** Loaded prompts of a run that sends requests. */
export interface LoadedPrompts extends RunRequests {
  readonly requestBuilder: SummaryRequestBuilder
}

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
>

/**
 * Finds and checks the prompts of a run.
 * @throws UsageError
 */
export async function loadRequestBuilder(
  options: RequestOptions,
  lookup: Pick<PromptOptions, 'cwd' | 'inputRoots'>,
  chunkPrompts?: ChunkPrompts,
): Promise<LoadedPrompts> {
  const vars = options.var ?? {}
  const constraints = await resolveConstraints(options)
  const { schema: schemaFile } = options
  const schemaFlag =
    schemaFile === undefined ? undefined : await readSchema(resolve(lookup.cwd, schemaFile), schemaFile)
  const prompts = await loadPromptVariants(options.prompt, { ...lookup, vars: Object.keys(vars) })
  const createChunkPlanner = await loadChunkPlanner(options, lookup, chunkPrompts)
  const variants = await Promise.all(
    prompts.map(async ({ value: prompt, weight }) => {
      const name = `${prompt.name}@${prompt.version}`
      const schema = schemaFlag ?? prompt.schema
      const schemaSetting = schema === undefined ? {} : { schema }
      const parameters = { ...chooseParameters(resolveModelSettings(prompt, options)), ...schemaSetting }
      const answers = { maxTokens: parameters.maxTokens, ...schemaSetting, ...constraints }
      const schemaOrigin = schemaFlag === undefined ? `the schema of ${name}` : `--schema ${schemaFile}`
      return {
        weight,
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
  const provider = getProviderName(options)
  const weightedBuilders = variants.map(({ weight, name, prompt, parameters, answers, checks }) => {
    const buildVariantRequest = (document: Document): Request => {
      const { ref: source, pdf } = document
      const fields = {
        ...parameters,
        ...addConstraints(renderPrompt(prompt, document, vars), constraints),
        ...(pdf !== undefined && { pdf }),
      }
      return buildRequest(fields, source.path, provider)
    }
    const { planChunks, hash } = createChunkPlanner(provider, parameters, buildVariantRequest)
    const settingsHash = hashSettings(buildVariantRequest, [listReaderSettings(options), hash])
    const provenance: Provenance = { prompt: name, model: parameters.model, settingsHash }
    return {
      weight,
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
  const promptChoice: PromptChoice = {
    prompt:
      variants.length === 1 ? first.name : variants.map(({ name, weight }) => `${name}=${weight}`).join(','),
    promptSource: `${why}, ${origin}`,
    model: first.parameters.model,
    models: variants.map(({ parameters }) => parameters.model),
    structured: structuredCount > 0,
    getProvenance: (path) => pickVariant(weightedBuilders, path).provenance,
  }
  const chunker: DocumentChunker = {
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
  const requestBuilder: SummaryRequestBuilder = {
    buildRequest: buildDocumentRequest,
    chunker,
    validateReply: (text, path) => pickVariant(weightedBuilders, path).checks.findMismatch(text),
    checkQuality,
    getAnswerSettings: (path) => pickVariant(weightedBuilders, path).answers,
  }
  return { promptChoice, requestBuilder }
}

/**
 * Returns the output constraints of `--language` and `--words`.
 * @throws UsageError for an unknown language
 */
async function resolveConstraints({
  language,
  words,
}: Pick<SummarizeOptions, 'language' | 'words'>): Promise<OutputConstraints> {
  const length = words === undefined ? {} : { words }
  if (language === undefined) return length
  const { findLanguageName } = await import('../inputs/answer-checks/language.ts')
  const languageName = findLanguageName(language)
  if (languageName === undefined)
    throw new CommandLineError(
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
