import { estimateUploadTokens, type Upload } from '../document/upload.ts'
import { type Effort, findModel } from '../pricing/models.ts'
import type { JsonSchema } from './schema-support.ts'

/** One request to a model, independent of the API; the client turns it into a request body. */
export interface Request {
  /** Path of the document, for logs and errors. */
  readonly path: string
  /** Hash of everything that shapes the reply; see `request-hash.ts`. */
  readonly hash: string
  /** From 1; set by the retry middleware. */
  readonly attemptNumber: number
  readonly model: string
  readonly system?: string
  readonly user: string
  /** The document, if the reply must cite it. It is not in `user` then. */
  readonly citable?: CitableDocument
  /** Sent in front of `user`. */
  readonly upload?: Upload
  /** Upper bound of billed output tokens, including thinking. */
  readonly maxTokens: number
  readonly effort?: Effort
  readonly thinking?: 'disabled' | 'between_tools'
  /** The JSON Schema that the reply must match; without one, the reply is text. */
  readonly schema?: JsonSchema
}

/** A document that is sent as a document block with citations. */
export interface CitableDocument {
  /** Undefined if the document is only an uploaded PDF. */
  readonly text?: string
  /** The parts of the text, if they are sent as separate blocks, which a citation names by their index. */
  readonly blocks?: readonly string[]
  /** The index in `user` where the text belongs. */
  readonly offset: number
}

/** Settings that all requests of a run share. */
export interface RequestSettings {
  readonly model: string
  readonly maxTokens: number
  readonly effort?: Effort
}

/**
 * Returns the cheapest parameters that the model accepts for a plain summary, unless the settings name an
 * effort. Models that are not in the table get no defaults: a compatible server may reject unknown fields.
 */
export function chooseParameters({
  model,
  maxTokens,
  effort,
}: RequestSettings): Pick<Request, 'model' | 'maxTokens' | 'effort' | 'thinking'> {
  const known = findModel(model)
  const chosenEffort = effort ?? (known?.efforts.includes('low') ? 'low' : undefined)
  // Above `high`, all models with these thinking types reject them with a 400 (claude-haiku-5-5,
  // claude-sonnet-5-5).
  const thinking = chosenEffort === 'xhigh' || chosenEffort === 'max' ? undefined : known?.thinking
  return {
    model,
    maxTokens,
    ...(chosenEffort !== undefined && { effort: chosenEffort }),
    ...(thinking !== undefined && { thinking }),
  }
}

/** Returns the length of a request for estimates: characters of input. A token of an upload counts as 2.5 of them. */
export function countPromptCharacters({
  system = '',
  user,
  citable,
  upload,
  schema,
}: Pick<Request, 'system' | 'user' | 'citable' | 'upload' | 'schema'>): number {
  const texts = system.length + user.length + (citable === undefined ? 0 : countCitableCharacters(citable))
  const uploaded = upload === undefined ? 0 : Math.round(estimateUploadTokens(upload) * charactersPerToken)
  return texts + uploaded + (schema ? JSON.stringify(schema).length : 0)
}

/**
 * The API adds instructions for citations, and splits the document into sentences. Their tokens are not documented; this
 * is a guess.
 */
function countCitableCharacters({ text = '' }: CitableDocument): number {
  return Math.ceil(1.1 * text.length) + 1000
}

/** Characters of prose per token in the models that have the fewest. */
const charactersPerToken = 2.5
