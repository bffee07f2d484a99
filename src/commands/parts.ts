import type { SummarizeOptions } from '../config/flags.ts'
import { cutText } from '../core/cut.ts'
import type { Document, InputProblem, Pdf } from '../core/document.ts'
import { tokensPerCharacter } from '../core/estimate.ts'
import { digest, keyOf, recipeOf } from '../core/key.ts'
import { grouped, largestPdf, likelyNotes, longestDocument, type Parts } from '../core/parts.ts'
import { type Prompt, renderPrompt } from '../core/prompt.ts'
import { lengthOf, parametersFor, type Request, type Settings } from '../core/request.ts'
import { textKind } from '../core/text-kind.ts'
import { loadPrompt } from '../inputs/prompt.ts'
import type { PlaceOptions } from '../inputs/prompt-place.ts'
import { Unreadable } from '../inputs/readers/unreadable.ts'
import { settingsOf } from './settings.ts'

/** How a document is asked about in parts; undefined where one request holds it, a problem where it cannot be cut. */
export type PartsOf = (
  document: Document,
  settings: Settings,
  requestFor: (document: Document) => Request,
) => Promise<Parts | InputProblem | undefined>

/** The names of what asks about parts, and about their answers. */
export interface PartPrompts {
  readonly part: string
  readonly merge: string
}

type PartsOptions = Pick<SummarizeOptions, 'maxTokens' | 'partTokens'>

/** Reads the prompts for parts when the first long document is met. */
export function partsAt(
  options: PartsOptions,
  places: PlaceOptions,
  endpoint: string,
  { part, merge }: PartPrompts = { part: 'part', merge: 'merge' },
): PartsOf {
  const { partTokens } = options
  let loading: Promise<readonly [Prompt, Prompt]> | undefined
  const prompts = () => (loading ??= Promise.all([partPrompt(places, part), partPrompt(places, merge)]))

  return async (document, settings, requestFor) => {
    const { text, source } = document
    const kind = textKind(source.path, text)
    const { pdf: _, ...asText } = document
    const around = lengthOf(requestFor({ ...asText, text: '' }))
    const longest = longestDocument(settings, kind, around, partTokens)
    const pdfs = await partsOfPdf(document, settings.model, longest)
    if (pdfs !== undefined && 'as' in pdfs) return pdfs
    if (pdfs === undefined && (longest === undefined || text.length <= longest)) return undefined

    const [forPart, forMerge] = await prompts()
    const ask = (prompt: Prompt) => {
      const own = settingsOf(prompt, { ...settings, maxTokens: options.maxTokens, effort: settings.effort })
      const parameters = parametersFor({ ...own, model: settings.model })
      const request = (text: string, pdf?: Pdf): Request => {
        const texts = renderPrompt(prompt, { ...document, text }, {})
        const asked = { ...parameters, ...texts, ...(pdf !== undefined && { pdf }) }
        return { ...asked, key: keyOf(asked, endpoint), path: source.path, attempt: 1 }
      }
      const most =
        longestDocument(own, kind, lengthOf(request('')), partTokens) ?? longest ?? Number.POSITIVE_INFINITY
      return { request, most, recipe: recipeOf(prompt, {}, parameters, endpoint) }
    }
    const [parts, merging] = [ask(forPart), ask(forMerge)]
    const requests =
      pdfs === undefined
        ? cutText(text, parts.most).map((part) => parts.request(part))
        : pdfs.map((pdf) => parts.request(text, pdf))
    const whole = (notes: string) => requestFor({ ...asText, text: notes })
    return {
      key: digest([...requests.map(({ key }) => key), merging.recipe, whole('').key]),
      requests,
      last: whole(inOrder(requests.map(() => 'x'.repeat(likelyNotes)))),
      merge(answers) {
        const groups = grouped(answers, Math.min(merging.most, longest ?? Number.POSITIVE_INFINITY))
        return groups.length === 1
          ? [whole(inOrder(answers))]
          : groups.map((group) => merging.request(group.map((it) => it.trim()).join('\n\n---\n\n')))
      },
    }
  }
}

/** Rather too many; see the length of a request. */
const tokensPerPage = 2500

/** A PDF that is sent as it is, in as many as it takes; undefined where that is one. */
async function partsOfPdf(
  { pdf }: Document,
  model: string,
  longest = Number.POSITIVE_INFINITY,
): Promise<readonly Pdf[] | InputProblem | undefined> {
  if (pdf === undefined) return undefined
  const most = largestPdf(model)
  const tokens = longest * tokensPerCharacter(model, 'prose').high
  const pages = Math.max(1, Math.min(most.pages, Math.floor(tokens / tokensPerPage)))
  if (pdf.pages <= pages && pdf.base64.length * 0.75 <= most.bytes) return undefined
  const { splitPdf } = await import('../inputs/readers/split-pdf.ts')
  return splitPdf(pdf, { ...most, pages }).catch((error: unknown) => {
    if (!(error instanceof Unreadable)) throw error
    return { as: 'fail', type: error.type, message: error.message }
  })
}

/** It can have no slots of its own: nobody would fill them. */
function partPrompt(places: PlaceOptions, name: string): Promise<Prompt> {
  return loadPrompt(name, { ...places, vars: [] })
}

function inOrder(answers: readonly string[]): string {
  const count = answers.length
  const notes = answers.map((text, n) => `[Part ${n + 1} of ${count}]\n\n${text.trim()}`)
  return `[These are notes on the ${count} parts of a document that is too long to be read at once, in its order.]\n\n${notes.join('\n\n')}`
}
