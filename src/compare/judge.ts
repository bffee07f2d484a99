import { settingsOf } from '../config/model-settings.ts'
import type { Document, Source } from '../core/document/document.ts'
import { buildRequest } from '../core/request/build-request.ts'
import { fence } from '../core/request/delimit.ts'
import { judgeSlots, renderPrompt } from '../core/request/prompt.ts'
import { parametersFor, type Request } from '../core/request/request.ts'
import { settingsHash } from '../core/request/request-hash.ts'
import { loadPrompt } from '../inputs/prompts/load-prompt.ts'
import type { PlaceOptions } from '../inputs/prompts/prompt-lookup.ts'
import { type ReadSettings, readingOf } from '../inputs/read/readers/kinds.ts'
import type { Result } from '../storage/ledger/latest-results.ts'
import { type Arm, folderName } from './variants.ts'

/** An arm whose texts are judged beside the first arm's. */
interface Judged {
  readonly arm: Arm
  readonly results: ReadonlyMap<string, Result>
}

/** One way of asking a judge: about an arm's texts, standing in one of the two places. */
export interface Judge extends Arm {
  readonly of: Arm
  /** Documents that both arms made something of. */
  readonly sources: readonly Source[]
}

/** Every arm beside the first, in both orders, as a judge is to be asked about them. */
export type JudgesOf = (judged: readonly Judged[], sources: readonly Source[]) => readonly Judge[]

/**
 * Finds and checks the judge's prompt. Each two arms have a folder for either order, so that no judgement is paid for
 * twice. The texts count for the hashes as variables of a prompt do.
 * @param reading how documents are read
 * @throws UsageError where the prompt cannot be used
 */
export async function judgeFor(
  judge: string,
  places: PlaceOptions,
  endpoint: string,
  reading: ReadSettings,
): Promise<JudgesOf> {
  const prompt = await loadPrompt('judge', { ...places, vars: judgeSlots })
  const parameters = parametersFor(
    settingsOf(prompt, { model: judge, maxTokens: undefined, effort: undefined }),
  )
  const name = `${prompt.name}@${prompt.version}`
  const requestWith =
    (texts: Readonly<Record<(typeof judgeSlots)[number], string>>) =>
    (document: Document): Request => {
      const { source, pdf } = document
      const asked = {
        ...parameters,
        ...renderPrompt(prompt, document, texts),
        ...(pdf !== undefined && { pdf }),
      }
      return buildRequest(asked, source.path, endpoint)
    }
  return ([baseline, ...others], sources) =>
    others.flatMap(({ arm, results }) =>
      judgeSlots.map((place): Judge => {
        const texts = (path: string) => {
          const [own, other] = [results, baseline?.results].map((it) => it?.get(path)?.text?.trimEnd())
          if (own === undefined || other === undefined) return undefined
          return place === 'first' ? { first: own, second: other } : { first: other, second: own }
        }
        const fencedFor = (path: string) => {
          const { first = '', second = '' } = texts(path) ?? {}
          return { first: fence(first, 'summary'), second: fence(second, 'summary') }
        }
        const shown = [arm.folder, baseline?.arm.folder ?? '']
        if (place === 'second') shown.reverse()
        return {
          of: arm,
          name: `${name}, ${parameters.model}`,
          folder: [folderName(`${name}+${parameters.model}`), ...shown].join('/'),
          sources: sources.filter(({ path }) => texts(path) !== undefined),
          asking: {
            prompt: name,
            origin: `${prompt.why}, ${prompt.origin}`,
            model: parameters.model,
            models: [parameters.model],
            factsFor: (path) => ({
              prompt: name,
              model: parameters.model,
              recipe: settingsHash(requestWith(fencedFor(path)), [readingOf(reading)]),
            }),
            // What is judged was asked about as a whole, or in parts; a judge reads the document as it is.
            answersFor: () => ({ maxTokens: parameters.maxTokens }),
            flaw: () => undefined,
            doubts: () => [],
            structured: false,
            longestFor: () => undefined,
            partsOf: async () => undefined,
            requestFor: (document) => requestWith(fencedFor(document.source.path))(document),
          },
        }
      }),
    )
}
