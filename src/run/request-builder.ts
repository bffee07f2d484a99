import { resolve } from 'node:path'
import type { SummarizeOptions } from '../config/flags.ts'
import { settingsOf } from '../config/model-settings.ts'
import { longestDocument, type Parts } from '../core/chunking/chunk-plan.ts'
import type { Document, InputProblem } from '../core/document/document.ts'
import { type Doubt, type Wishes, wishText } from '../core/document/quality-checks.ts'
import type { AnswerSettings } from '../core/request/answer-settings.ts'
import { buildRequest } from '../core/request/build-request.ts'
import { renderPrompt } from '../core/request/prompt.ts'
import { lengthOf, parametersFor, type Request } from '../core/request/request.ts'
import { settingsHash } from '../core/request/request-hash.ts'
import { wayOf } from '../core/request/traffic-split.ts'
import type { RunFacts } from '../core/run/provenance.ts'
import { textKind } from '../core/text/text-kind.ts'
import { UsageError } from '../errors.ts'
import { answerChecks } from '../inputs/prompts/answer-checks.ts'
import type { PromptOptions } from '../inputs/prompts/load-prompt.ts'
import { loadPrompts } from '../inputs/prompts/prompt-split.ts'
import { readSchema } from '../inputs/prompts/schema-file.ts'
import { readingOf } from '../inputs/read/readers/kinds.ts'
import { loadChunking, type PartPrompts } from './chunk-documents.ts'

/** How a run asks about its documents. */
export interface Asking {
  /** `summarize@v2`, or `summarize@v1=90,summarize@v2=10` where versions share the documents. */
  readonly prompt: string
  /** Why this version and where it comes from, for people: `pinned, prompts/summarize.yaml`. */
  readonly origin: string
  /** The model, of the first version where there are several. */
  readonly model: string
  /** All that will be asked. */
  readonly models: readonly string[]
  factsFor(path: string): RunFacts
  requestFor(document: Document): Request
  /** The most characters of it that one request holds, by its name; undefined where nobody knows of a bound. */
  longestFor(path: string): number | undefined
  /** Why a whole answer is not what was asked for; undefined where it is. */
  flaw(text: string, path: string): string | undefined
  /** Why a summary may be worth a look. @param text of the document, where it is at hand */
  doubts(summary: string, text: string | undefined): readonly Doubt[]
  /** What the prompt and the options decide about an answer: one object for all documents that it is the same for. */
  answersFor(path: string): Omit<AnswerSettings, 'frontMatter'>
  /** Answers are JSON objects. */
  readonly structured: boolean
  /** How it is asked about where one request does not hold it. */
  partsOf(document: Document): Promise<Parts | InputProblem | undefined>
}

/** The flags that shape requests. Whatever else does must be in the settings hash, too. */
export type AskingOptions = Pick<
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
export async function askingFor(
  options: AskingOptions,
  places: Pick<PromptOptions, 'cwd' | 'inputRoots'>,
  partPrompts?: PartPrompts,
): Promise<(endpoint: string) => Asking> {
  const vars = options.var ?? {}
  const wishes = await wishesIn(options)
  const { schema: file } = options
  const given = file === undefined ? undefined : await readSchema(resolve(places.cwd, file), file)
  const prompts = await loadPrompts(options.prompt, { ...places, vars: Object.keys(vars) })
  const chunking = await loadChunking(options, places, partPrompts)
  const arms = await Promise.all(
    prompts.map(async ({ way: prompt, share }) => {
      const name = `${prompt.name}@${prompt.version}`
      const schema = given ?? prompt.schema
      const ofSchema = schema === undefined ? {} : { schema }
      const parameters = { ...parametersFor(settingsOf(prompt, options)), ...ofSchema }
      const answers = { maxTokens: parameters.maxTokens, ...ofSchema, ...wishes }
      const where = given === undefined ? `the schema of ${name}` : `--schema ${file}`
      return { share, prompt, parameters, name, answers, checks: await answerChecks(answers, where) }
    }),
  )
  const structured = arms.filter(({ answers }) => answers.schema !== undefined).length
  if (structured > 0 && structured < arms.length)
    throw new UsageError(
      `--prompt ${options.prompt}: some of these versions have a schema and some have none`,
    )
  const [first] = arms
  if (first === undefined) throw new Error('a run has at least one prompt')
  const { why, origin } = first.prompt
  const { doubts } = first.checks
  return (endpoint) => {
    const ways = arms.map(({ share, name, prompt, parameters, answers, checks }) => {
      const requestFor = (document: Document): Request => {
        const { source, pdf } = document
        const asked = {
          ...parameters,
          ...withWishes(renderPrompt(prompt, document, vars), wishes),
          ...(pdf !== undefined && { pdf }),
        }
        return buildRequest(asked, source.path, endpoint)
      }
      const { partsOf, hash } = chunking(endpoint, parameters, requestFor)
      const recipe = settingsHash(requestFor, [readingOf(options), hash])
      const facts: RunFacts = { prompt: name, model: parameters.model, recipe }
      return { share, way: { parameters, answers, checks, requestFor, partsOf, facts } }
    })
    const requestFor = (document: Document) => wayOf(ways, document.source.path).requestFor(document)
    return {
      prompt: arms.length === 1 ? first.name : arms.map(({ name, share }) => `${name}=${share}`).join(','),
      origin: `${why}, ${origin}`,
      model: first.parameters.model,
      models: arms.map(({ parameters }) => parameters.model),
      factsFor: (path) => wayOf(ways, path).facts,
      structured: structured > 0,
      doubts,
      flaw: (text, path) => wayOf(ways, path).checks.flaw(text),
      answersFor: (path) => wayOf(ways, path).answers,
      requestFor,
      longestFor(path) {
        const bytes = { size: 0, sha256: '' }
        const empty = requestFor({ source: { index: 0, path, named: true }, text: '', bytes })
        return longestDocument(empty, textKind(path), lengthOf(empty), options.chunkTokens)
      },
      partsOf: (document) => wayOf(ways, document.source.path).partsOf(document),
    }
  }
}

/** @throws UsageError for an unknown language */
async function wishesIn({ language, words }: Pick<SummarizeOptions, 'language' | 'words'>): Promise<Wishes> {
  const length = words === undefined ? {} : { words }
  if (language === undefined) return length
  const { languageNamed } = await import('../inputs/read/language.ts')
  const named = languageNamed(language)
  if (named === undefined)
    throw new UsageError(
      `--language ${language}: expected a language in English or its code, such as German or de`,
    )
  return { ...length, language: named }
}

function withWishes(
  texts: Pick<Request, 'system' | 'user'>,
  wishes: Wishes,
): Pick<Request, 'system' | 'user'> {
  return { ...texts, user: texts.user + wishText(wishes) }
}
