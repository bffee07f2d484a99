import { resolveModelSettings } from '../config/model-settings.ts'
import type { Document, DocumentRef } from '../core/document/document.ts'
import { buildRequest } from '../core/request/build-request.ts'
import { delimit } from '../core/request/delimit.ts'
import type { ProviderName } from '../core/request/providers.ts'
import { judgePlaceholders, renderPrompt } from '../core/request/render-prompt.ts'
import { chooseParameters, type Request } from '../core/request/request.ts'
import { hashSettings } from '../core/request/request-hash.ts'
import { loadPrompt } from '../inputs/prompts/load-prompt.ts'
import type { PromptLookupOptions } from '../inputs/prompts/prompt-lookup.ts'
import { listReaderSettings, type ReaderSettings } from '../inputs/read/readers/document-formats.ts'
import type { LatestResult } from '../storage/ledger/latest-results.ts'
import { type ComparedVariant, toFolderName } from './variants.ts'

/** A variant whose texts are compared with those of the first variant. */
interface VariantResults {
  readonly variant: ComparedVariant
  readonly results: ReadonlyMap<string, LatestResult>
}

/** A comparison of a variant with the first one in one order: its texts in first or in second position. */
export interface JudgeVariant extends ComparedVariant {
  readonly variant: ComparedVariant
  /** Documents that both variants summarized. */
  readonly sources: readonly DocumentRef[]
}

/** Returns the comparisons of all other variants with the first one, each in both orders. */
export type CreateJudges = (
  variantResults: readonly VariantResults[],
  sources: readonly DocumentRef[],
) => readonly JudgeVariant[]

/**
 * Loads and checks the judge's prompt. Each pair of variants has a folder per order, so that no decision is
 * paid for twice. The compared texts are part of the settings hash, like prompt variables.
 * @param readSettings how documents are read
 * @throws UsageError if the prompt cannot be used
 */
export async function loadJudge(
  model: string,
  lookup: PromptLookupOptions,
  readSettings: ReaderSettings,
  provider: ProviderName,
): Promise<CreateJudges> {
  const prompt = await loadPrompt('judge', { ...lookup, vars: judgePlaceholders })
  const parameters = chooseParameters(
    resolveModelSettings(prompt, { model, maxTokens: undefined, effort: undefined }),
  )
  const name = `${prompt.name}@${prompt.version}`
  const createRequestFunction =
    (texts: Readonly<Record<(typeof judgePlaceholders)[number], string>>) =>
    (document: Document): Request => {
      const { ref: source, upload } = document
      const fields = {
        ...parameters,
        ...renderPrompt(prompt, document, texts),
        ...(upload !== undefined && { upload }),
      }
      return buildRequest(fields, source.path, provider)
    }
  return ([baseline, ...otherVariants], sources) =>
    otherVariants.flatMap(({ variant, results }) =>
      judgePlaceholders.map((position): JudgeVariant => {
        const getTexts = (path: string) => {
          const [ownText, otherText] = [results, baseline?.results].map((textsByPath) =>
            textsByPath?.get(path)?.text?.trimEnd(),
          )
          if (ownText === undefined || otherText === undefined) return undefined
          return position === 'first'
            ? { first: ownText, second: otherText }
            : { first: otherText, second: ownText }
        }
        const getDelimitedTexts = (path: string) => {
          const { first = '', second = '' } = getTexts(path) ?? {}
          return { first: delimit(first, 'summary'), second: delimit(second, 'summary') }
        }
        const folders = [variant.folder, baseline?.variant.folder ?? '']
        if (position === 'second') folders.reverse()
        return {
          variant,
          name: `${name}, ${parameters.model}`,
          folder: [toFolderName(`${name}+${parameters.model}`), ...folders].join('/'),
          sources: sources.filter(({ path }) => getTexts(path) !== undefined),
          promptChoice: {
            prompt: name,
            promptSource: `${prompt.why}, ${prompt.origin}`,
            model: parameters.model,
            models: [parameters.model],
            structured: false,
            citations: false,
            getProvenance: (path) => ({
              prompt: name,
              model: parameters.model,
              settingsHash: hashSettings(createRequestFunction(getDelimitedTexts(path)), [
                listReaderSettings(readSettings),
              ]),
            }),
          },
          requestBuilder: {
            buildRequest: (document) => createRequestFunction(getDelimitedTexts(document.ref.path))(document),
            // The judge reads each document as a whole, even if it was summarized in chunks.
            chunker: undefined,
          },
        }
      }),
    )
}
