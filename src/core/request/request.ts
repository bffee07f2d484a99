import type { Pdf } from '../document/document.ts'
import { type Effort, findModel } from '../pricing/models.ts'
import type { JsonSchema } from './schema-support.ts'

/** One question to a model, in our own words; the client turns it into the API's. */
export interface Request {
  /** The document it is about: for logs and errors. */
  readonly path: string
  /** Hash of everything that shapes the reply; see `request-hash.ts`. */
  readonly hash: string
  /** Which sending this is, from 1; set by the retry layer. */
  readonly attemptNumber: number
  readonly model: string
  readonly system?: string
  readonly user: string
  /** Stands before `user`. */
  readonly pdf?: Pdf
  /** Upper bound of billed output tokens, thinking included. */
  readonly maxTokens: number
  readonly effort?: Effort
  readonly thinking?: 'disabled' | 'between_tools'
  /** What the answer is to fit, as JSON; it is text, if left out. */
  readonly schema?: JsonSchema
}

/** What shapes every request of a run alike. */
export interface RequestSettings {
  readonly model: string
  readonly maxTokens: number
  readonly effort?: Effort
}

/**
 * The cheapest parameters the model accepts for a plain summary, unless an effort was asked for.
 * Models that are not in the table get neither field: a compatible server may refuse what it does not know.
 */
export function chooseParameters({
  model,
  maxTokens,
  effort,
}: RequestSettings): Pick<Request, 'model' | 'maxTokens' | 'effort' | 'thinking'> {
  const known = findModel(model)
  const chosenEffort = effort ?? (known?.efforts.includes('low') ? 'low' : undefined)
  // Above `high`, every model that takes these types answers 400 to them (claude-haiku-5-5, claude-sonnet-5-5).
  const thinking = chosenEffort === 'xhigh' || chosenEffort === 'max' ? undefined : known?.thinking
  return {
    model,
    maxTokens,
    ...(chosenEffort !== undefined && { effort: chosenEffort }),
    ...(thinking !== undefined && { thinking }),
  }
}

/** How long a request is, for estimates: the characters of all its input, with that of a PDF as if it were text. */
export function countPromptCharacters({
  system = '',
  user,
  pdf,
  schema,
}: Pick<Request, 'system' | 'user' | 'pdf' | 'schema'>): number {
  const texts = system.length + user.length
  return texts + (pdf?.pages ?? 0) * charactersPerPage + (schema ? JSON.stringify(schema).length : 0)
}

/** A page of a PDF is sent as its text and as a picture: about 2,350 tokens where it is dense. */
const charactersPerPage = 6000
