import { resolve } from 'node:path'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { type ChunkPlan, computeMaxDocumentChars } from '../core/chunking/chunk-plan.ts'
import type { Document, InputProblem } from '../core/document/document.ts'
import type { QualityIssue } from '../core/document/quality-checks.ts'
import type { AnswerSettings } from '../core/request/answer-settings.ts'
import type { OutputConstraints } from '../core/request/output-constraints.ts'
import { pickVariant } from '../core/request/pick-variant.ts'
import { countPromptCharacters, type Request } from '../core/request/request.ts'
import { hashConvertedSettings } from '../core/request/request-hash.ts'
import type { Provenance } from '../core/run/provenance.ts'
import { findNearestName } from '../core/text/find-nearest-name.ts'
import { quoteBeginning } from '../core/text/quote-beginning.ts'
import { detectTextKind } from '../core/text/text-kind.ts'
import { CommandLineError, UsageError } from '../errors.ts'
import { readSchema } from '../inputs/answer-checks/schema-check.ts'
import type { PromptOptions } from '../inputs/prompts/load-prompt.ts'
import { loadPromptVariants } from '../inputs/prompts/prompt-variants.ts'
import { type ConvertCommands, findConvertCommand } from '../inputs/read/converters.ts'
import { applyInstructions } from './instructions.ts'
import { type ChunkPrompts, loadChunkPlanner } from './load-chunk-planner.ts'
import { createPromptVariant, type PromptVariant } from './prompt-variant.ts'
import type { RequestOptions } from './request-options.ts'

/** The prompts and models of a run, as the ledger, reports and the terminal show them. */
export interface PromptChoice {
  /** `summarize@v2`, or `summarize@v1=90,summarize@v2=10` if several versions share the documents. */
  readonly prompt: string
  /** Why this version was chosen and where it comes from, for display: `pinned, prompts/summarize.yaml`. */
  readonly promptSource: string
  /** The text of `--instructions`. */
  readonly instructions?: string | undefined
  /** The model; that of the first version, if there are several. */
  readonly model: string
  /** All models that the run sends requests to. */
  readonly models: readonly string[]
  /** Whether answers are JSON objects. */
  readonly structured: boolean
  /** Whether answers cite their documents. */
  readonly citations: boolean
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
 * Finds and checks the prompts of a run.
 * @throws UsageError
 */
export async function loadRequestBuilder(
  givenOptions: RequestOptions,
  lookup: Pick<PromptOptions, 'cwd' | 'inputRoots'>,
  chunkPrompts?: ChunkPrompts,
): Promise<LoadedPrompts> {
  const options =
    givenOptions.instructions === undefined
      ? givenOptions
      : await applyInstructions(givenOptions, givenOptions.instructions, lookup.cwd)
  const { schema: schemaFile } = options
  const schemaFlag =
    schemaFile === undefined ? undefined : await readSchema(resolve(lookup.cwd, schemaFile), schemaFile)
  const vars = Object.keys(options.var ?? {})
  const prompts = await loadPromptVariants(options.prompt, { ...lookup, vars })
  const variantOptions = {
    options,
    constraints: await resolveConstraints(options),
    schemaFlag,
    createChunkPlanner: await loadChunkPlanner(options, lookup, chunkPrompts),
  }
  const variants = await Promise.all(
    prompts.map(async ({ value: prompt, weight }) => ({
      weight,
      value: await createPromptVariant(prompt, variantOptions),
    })),
  )
  const structuredCount = variants.filter(({ value }) => value.answers.schema !== undefined).length
  if (structuredCount > 0 && structuredCount < variants.length)
    throw new UsageError(
      `--prompt ${options.prompt}: some of these versions have a schema and some have none`,
    )
  const [first, prompt] = [variants[0]?.value, prompts[0]?.value]
  if (first === undefined || prompt === undefined) throw new Error('a run has at least one prompt')
  const pick = (path: string) => pickVariant(variants, path)
  const instructions = options.var?.['instructions']
  const names = variants.map(({ weight, value }) => `${value.name}=${weight}`)
  return {
    promptChoice: {
      prompt: variants.length === 1 ? first.name : names.join(','),
      promptSource: `${prompt.why}, ${prompt.origin}${instructions === undefined ? '' : `: ${quoteBeginning(instructions, 60)}`}`,
      instructions,
      model: first.provenance.model,
      models: variants.map(({ value }) => value.provenance.model),
      structured: structuredCount > 0,
      citations: variants.some(({ value }) => value.answers.citations !== undefined),
      getProvenance: createProvenanceLookup(pick, options.convert),
    },
    requestBuilder: {
      buildRequest: (document) => pick(document.ref.path).buildRequest(document),
      chunker: createChunker(pick, options),
      validateReply: (text, path) => pick(path).checks.findMismatch(text),
      checkQuality: first.checks.checkQuality,
      getAnswerSettings: (path) => pick(path).answers,
    },
  }
}

/**
 * Returns a function that returns the provenance of a document's summary. The command that reads documents of one
 * extension is part of the settings of only these documents.
 */
function createProvenanceLookup(
  pick: (path: string) => PromptVariant,
  commands: ConvertCommands = {},
): PromptChoice['getProvenance'] {
  const known = new Map<string, Provenance>()
  return (path) => {
    const { provenance } = pick(path)
    const command = findConvertCommand(commands, path)
    if (command === undefined) return provenance
    const settingsHash = hashConvertedSettings(provenance.settingsHash, command)
    const converted = known.get(settingsHash) ?? { ...provenance, settingsHash }
    known.set(settingsHash, converted)
    return converted
  }
}

function createChunker(
  pick: (path: string) => PromptVariant,
  { chunkTokens }: Pick<RequestOptions, 'chunkTokens'>,
): DocumentChunker {
  return {
    getMaxChars(path) {
      const fingerprint = { size: 0, sha256: '' }
      const ref = { index: 0, path, namedByUser: true }
      const emptyRequest = pick(path).buildRequest({ ref, text: '', fingerprint })
      const promptCharacters = countPromptCharacters(emptyRequest)
      return computeMaxDocumentChars(emptyRequest, detectTextKind(path), promptCharacters, chunkTokens)
    },
    planChunks: (document) => pick(document.ref.path).planChunks(document),
  }
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
  const { findLanguageName, listLanguageNames } = await import('../inputs/answer-checks/language.ts')
  const languageName = findLanguageName(language)
  if (languageName === undefined) {
    const similar = findNearestName(language, listLanguageNames())
    throw new CommandLineError(
      `--language ${language}: expected a language in English or its code, such as German or de${similar === undefined ? '' : `; did you mean ${similar}?`}`,
    )
  }
  return { ...length, language: languageName }
}
