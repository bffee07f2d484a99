import { canonicalModelId } from './model-id.ts'

export const efforts = ['low', 'medium', 'high', 'xhigh', 'max'] as const
/** How hard the model tries: tokens against quality. */
export type Effort = (typeof efforts)[number]

/** USD per million tokens, as the price page gives them. */
export interface Prices {
  readonly input: number
  readonly output: number
  readonly cacheWrite5m: number
  readonly cacheWrite1h: number
  readonly cacheRead: number
}

/** What the tool must know of a model before it sends anything. */
export interface Model {
  /** Tokens that fit its window, input and output together. */
  readonly context: number
  /** The highest `max_tokens` it takes. */
  readonly maxOutput: number
  /** By length of the prompt: the first band whose `upTo` (tokens) holds the whole prompt prices the whole request. */
  readonly bands: readonly { readonly upTo: number; readonly prices: Prices }[]
  /** Efforts it accepts; empty where any effort is a 400. */
  readonly efforts: readonly Effort[]
  /**
   * Its cheapest setting for a plain summary: the `thinking` to send (none = leave it out), accepted up to `high`
   * effort only. Above that, thinking is left to the model.
   */
  readonly thinking?: 'disabled' | 'between_tools'
  /** Characters of plain text per token, a low guess: the tokenizer of 4.7 and later yields about 30 % more tokens. */
  readonly charsPerToken: number
  /** Whether `inference_geo: "us"` makes every token a tenth dearer. */
  readonly regional: boolean
  /** The day it stops answering, where one is announced, and what to use instead. */
  readonly retires?: { readonly on: string; readonly instead: string }
}

const toHigh = ['low', 'medium', 'high'] as const
const toMax = ['low', 'medium', 'high', 'xhigh', 'max'] as const
const noXhigh = ['low', 'medium', 'high', 'max'] as const

const large = { context: 1_000_000, maxOutput: 128_000, charsPerToken: 2.5, regional: true } as const
const older = { context: 200_000, maxOutput: 64_000, charsPerToken: 3.5, regional: false } as const

const opusPrices = flat(5, 25, 6.25, 10, 0.5)
const fablePrices = flat(10, 50, 12.5, 20, 1)

/**
 * The models by id: limits, prices, thinking and efforts.
 * Read on the day of {@link pricesRead} from https://platform.claude.com/docs/en/about-claude/pricing,
 * https://platform.claude.com/docs/en/models/overview and the pages of each model.
 */
const models = {
  'claude-haiku-5-5': {
    ...large,
    // The only model with a prompt-length band: one token over 100,000 makes the whole request five times as dear.
    bands: [
      { upTo: 100_000, prices: prices(0.1, 0.5, 0.125, 0.2, 0.01) },
      { upTo: Number.POSITIVE_INFINITY, prices: prices(0.5, 2.5, 0.625, 1, 0.05) },
    ],
    efforts: toMax,
    thinking: 'disabled',
  },
  'claude-sonnet-5-5': {
    ...large,
    bands: flat(2, 10, 2.5, 4, 0.1),
    efforts: toMax,
    thinking: 'between_tools',
  },
  'claude-opus-5-5': { ...large, bands: flat(4, 20, 5, 8, 0.2), efforts: toMax },
  'claude-fable-5-1': { ...large, bands: flat(10, 50, 12.5, 20, 0.25), efforts: toMax },
  'claude-mythos-5-1': { ...large, bands: flat(10, 50, 12.5, 20, 0.25), efforts: toMax },
  'claude-opus-5': { ...large, bands: opusPrices, efforts: toMax, thinking: 'disabled' },
  'claude-sonnet-5': { ...large, bands: flat(2, 10, 2.5, 4, 0.2), efforts: toMax, thinking: 'disabled' },
  'claude-fable-5': { ...large, bands: fablePrices, efforts: toMax },
  'claude-mythos-5': { ...large, bands: fablePrices, efforts: toMax },
  'claude-opus-4-8': { ...large, bands: opusPrices, efforts: toMax },
  'claude-opus-4-7': { ...large, bands: opusPrices, efforts: toMax },
  'claude-opus-4-6': { ...large, charsPerToken: 3.5, bands: opusPrices, efforts: noXhigh },
  'claude-sonnet-4-6': { ...large, charsPerToken: 3.5, bands: flat(3, 15, 3.75, 6, 0.3), efforts: noXhigh },
  'claude-opus-4-5': { ...older, bands: opusPrices, efforts: toHigh },
  'claude-haiku-4-5': { ...older, bands: flat(1, 5, 1.25, 2, 0.1), efforts: [] },
  'claude-sonnet-4-5': {
    ...older,
    bands: flat(3, 15, 3.75, 6, 0.3),
    efforts: [],
    retires: { on: '2026-11-30', instead: 'claude-sonnet-5-5' },
  },
} as const satisfies Record<string, Model>

/**
 * Those that answer no more.
 * @see https://platform.claude.com/docs/en/about-claude/model-deprecations
 */
const retired: Readonly<Record<string, Model['retires'] & {}>> = {
  'claude-opus-4-1': { on: '2026-08-05', instead: 'claude-opus-5-5' },
  'claude-opus-4-1-20250805': { on: '2026-08-05', instead: 'claude-opus-5-5' },
  'claude-opus-4-20250514': { on: '2026-06-15', instead: 'claude-opus-5-5' },
  'claude-sonnet-4-20250514': { on: '2026-06-15', instead: 'claude-sonnet-5-5' },
  'claude-3-haiku-20240307': { on: '2026-04-20', instead: 'claude-haiku-5-5' },
  'claude-3-7-sonnet-20250219': { on: '2026-02-19', instead: 'claude-sonnet-5-5' },
  'claude-3-5-haiku-20241022': { on: '2026-02-19', instead: 'claude-haiku-5-5' },
}

/** The announced end of a model, past or to come. Providers have dates of their own, so their ids have none here. */
export function retirementOf(model: string): Model['retires'] {
  if (!/^[a-z0-9-]+$/.test(model)) return undefined
  return ownEntry(retired, model) ?? findModel(model)?.retires
}

/** When the table was read. */
export const pricesRead = '2026-11-22'

export const defaultModel = 'claude-haiku-5-5'

/** Short names for people. */
const aliases: Readonly<Record<string, keyof typeof models>> = {
  haiku: 'claude-haiku-5-5',
  sonnet: 'claude-sonnet-5-5',
  opus: 'claude-opus-5-5',
}

/** The id to send for what the user wrote: `haiku` becomes `claude-haiku-5-5`; anything unknown is sent as it is. */
export function modelId(name: string): string {
  return name.includes('-') ? name : (ownEntry(aliases, name) ?? name)
}

/**
 * Returns what is known of a model, also by a dated id or the id that a provider has for it; undefined for a model of a
 * compatible server or of the future. Prices are list prices: providers may take more.
 */
export function findModel(name: string): Model | undefined {
  return ownEntry<Model>(models, ownEntry(aliases, name) ?? canonicalModelId(name))
}

/** Returns whether two names are of one model: the same, or a short, dated or prefixed form of the same id. */
export function isSameModel(a: string, b: string): boolean {
  return canonicalModelId(modelId(a)) === canonicalModelId(modelId(b))
}

/** Names a person may have meant. */
export const knownModels: readonly string[] = ['haiku', 'sonnet', 'opus', ...Object.keys(models)]

function flat(...rates: [number, number, number, number, number]): Model['bands'] {
  return [{ upTo: Number.POSITIVE_INFINITY, prices: prices(...rates) }]
}

/** In the order of the price page: input, output, cache write for 5 minutes and for an hour, cache read. */
function prices(
  input: number,
  output: number,
  cacheWrite5m: number,
  cacheWrite1h: number,
  cacheRead: number,
): Prices {
  return { input, output, cacheWrite5m, cacheWrite1h, cacheRead }
}

function ownEntry<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}
