import { canonicalizeModelId } from './model-id.ts'

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
  readonly contextTokens: number
  /** The highest `max_tokens` it takes. */
  readonly maxOutputTokens: number
  /** By length of the prompt: the first tier whose `maxPromptTokens` holds the whole prompt prices the whole request. */
  readonly priceTiers: readonly { readonly maxPromptTokens: number; readonly prices: Prices }[]
  /** Efforts it accepts; empty where any effort is a 400. */
  readonly efforts: readonly Effort[]
  /**
   * Its cheapest setting for a plain summary: the `thinking` to send (none = leave it out), accepted up to `high`
   * effort only. Above that, thinking is left to the model.
   */
  readonly thinking?: 'disabled' | 'between_tools'
  /** Characters of plain text per token, a low guess: the tokenizer of 4.7 and later yields about 30 % more tokens. */
  readonly charsPerToken: number
  /** Whether `inference_geo: "us"` makes every token 10 % more expensive. */
  readonly hasRegionalPricing: boolean
  /** The day it stops answering, where one is announced, and what to use instead. */
  readonly retirement?: { readonly date: string; readonly replacement: string }
}

const effortsToHigh = ['low', 'medium', 'high'] as const
const effortsToMax = ['low', 'medium', 'high', 'xhigh', 'max'] as const
const effortsWithoutXhigh = ['low', 'medium', 'high', 'max'] as const

const largeModel = {
  contextTokens: 1_000_000,
  maxOutputTokens: 128_000,
  charsPerToken: 2.5,
  hasRegionalPricing: true,
} as const
const olderModel = {
  contextTokens: 200_000,
  maxOutputTokens: 64_000,
  charsPerToken: 3.5,
  hasRegionalPricing: false,
} as const

const opusPrices = createSingleTier(5, 25, 6.25, 10, 0.5)
const fablePrices = createSingleTier(10, 50, 12.5, 20, 1)

/**
 * The models by id: limits, prices, thinking and efforts.
 * Read on the day of {@link pricesAsOf} from https://platform.claude.com/docs/en/about-claude/pricing,
 * https://platform.claude.com/docs/en/models/overview and the pages of each model.
 */
const models = {
  'claude-haiku-5-5': {
    ...largeModel,
    // The only model with price tiers by prompt length: above 100,000 tokens the whole request costs five times as much.
    priceTiers: [
      { maxPromptTokens: 100_000, prices: createPrices(0.1, 0.5, 0.125, 0.2, 0.01) },
      { maxPromptTokens: Number.POSITIVE_INFINITY, prices: createPrices(0.5, 2.5, 0.625, 1, 0.05) },
    ],
    efforts: effortsToMax,
    thinking: 'disabled',
  },
  'claude-sonnet-5-5': {
    ...largeModel,
    priceTiers: createSingleTier(2, 10, 2.5, 4, 0.1),
    efforts: effortsToMax,
    thinking: 'between_tools',
  },
  'claude-opus-5-5': { ...largeModel, priceTiers: createSingleTier(4, 20, 5, 8, 0.2), efforts: effortsToMax },
  'claude-fable-5-1': {
    ...largeModel,
    priceTiers: createSingleTier(10, 50, 12.5, 20, 0.25),
    efforts: effortsToMax,
  },
  'claude-mythos-5-1': {
    ...largeModel,
    priceTiers: createSingleTier(10, 50, 12.5, 20, 0.25),
    efforts: effortsToMax,
  },
  'claude-opus-5': { ...largeModel, priceTiers: opusPrices, efforts: effortsToMax, thinking: 'disabled' },
  'claude-sonnet-5': {
    ...largeModel,
    priceTiers: createSingleTier(2, 10, 2.5, 4, 0.2),
    efforts: effortsToMax,
    thinking: 'disabled',
  },
  'claude-fable-5': { ...largeModel, priceTiers: fablePrices, efforts: effortsToMax },
  'claude-mythos-5': { ...largeModel, priceTiers: fablePrices, efforts: effortsToMax },
  'claude-opus-4-8': { ...largeModel, priceTiers: opusPrices, efforts: effortsToMax },
  'claude-opus-4-7': { ...largeModel, priceTiers: opusPrices, efforts: effortsToMax },
  'claude-opus-4-6': {
    ...largeModel,
    charsPerToken: 3.5,
    priceTiers: opusPrices,
    efforts: effortsWithoutXhigh,
  },
  'claude-sonnet-4-6': {
    ...largeModel,
    charsPerToken: 3.5,
    priceTiers: createSingleTier(3, 15, 3.75, 6, 0.3),
    efforts: effortsWithoutXhigh,
  },
  'claude-opus-4-5': { ...olderModel, priceTiers: opusPrices, efforts: effortsToHigh },
  'claude-haiku-4-5': { ...olderModel, priceTiers: createSingleTier(1, 5, 1.25, 2, 0.1), efforts: [] },
  'claude-sonnet-4-5': {
    ...olderModel,
    priceTiers: createSingleTier(3, 15, 3.75, 6, 0.3),
    efforts: [],
    retirement: { date: '2026-11-30', replacement: 'claude-sonnet-5-5' },
  },
} as const satisfies Record<string, Model>

/**
 * Those that answer no more.
 * @see https://platform.claude.com/docs/en/about-claude/model-deprecations
 */
const retiredModels: Readonly<Record<string, Model['retirement'] & {}>> = {
  'claude-opus-4-1': { date: '2026-08-05', replacement: 'claude-opus-5-5' },
  'claude-opus-4-1-20250805': { date: '2026-08-05', replacement: 'claude-opus-5-5' },
  'claude-opus-4-20250514': { date: '2026-06-15', replacement: 'claude-opus-5-5' },
  'claude-sonnet-4-20250514': { date: '2026-06-15', replacement: 'claude-sonnet-5-5' },
  'claude-3-haiku-20240307': { date: '2026-04-20', replacement: 'claude-haiku-5-5' },
  'claude-3-7-sonnet-20250219': { date: '2026-02-19', replacement: 'claude-sonnet-5-5' },
  'claude-3-5-haiku-20241022': { date: '2026-02-19', replacement: 'claude-haiku-5-5' },
}

/** The announced end of a model, past or to come. Providers have dates of their own, so their ids have none here. */
export function findRetirement(model: string): Model['retirement'] {
  if (!/^[a-z0-9-]+$/.test(model)) return undefined
  return getOwn(retiredModels, model) ?? findModel(model)?.retirement
}

/** When the table was read. */
export const pricesAsOf = '2026-11-22'

/** The model of prompts and commands that name none. */
export const defaultModel = 'claude-haiku-5-5'

/** The most output tokens of a request for prompts and commands that set no limit. */
export const defaultMaxTokens = 1024

/** Short names for people. */
const aliases: Readonly<Record<string, keyof typeof models>> = {
  haiku: 'claude-haiku-5-5',
  sonnet: 'claude-sonnet-5-5',
  opus: 'claude-opus-5-5',
}

/** The short names of models, from the cheapest to the most expensive. */
export const modelAliases: readonly string[] = Object.keys(aliases)

/** The id to send for what the user wrote: `haiku` becomes `claude-haiku-5-5`; anything unknown is sent as it is. */
export function resolveModelAlias(name: string): string {
  return name.includes('-') ? name : (getOwn(aliases, name) ?? name)
}

/**
 * Returns what is known of a model, also by a dated id or the id that a provider has for it; undefined for a model of a
 * compatible server or of the future. Prices are list prices: providers may take more.
 */
export function findModel(name: string): Model | undefined {
  return getOwn<Model>(models, getOwn(aliases, name) ?? canonicalizeModelId(name))
}

/** Returns whether two names are of one model: the same, or a short, dated or prefixed form of the same id. */
export function isSameModel(a: string, b: string): boolean {
  return canonicalizeModelId(resolveModelAlias(a)) === canonicalizeModelId(resolveModelAlias(b))
}

/** Names a person may have meant. */
export const knownModelNames: readonly string[] = [...modelAliases, ...Object.keys(models)]

function createSingleTier(...rates: [number, number, number, number, number]): Model['priceTiers'] {
  return [{ maxPromptTokens: Number.POSITIVE_INFINITY, prices: createPrices(...rates) }]
}

/** In the order of the price page: input, output, cache write for 5 minutes and for an hour, cache read. */
function createPrices(
  input: number,
  output: number,
  cacheWrite5m: number,
  cacheWrite1h: number,
  cacheRead: number,
): Prices {
  return { input, output, cacheWrite5m, cacheWrite1h, cacheRead }
}

function getOwn<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}
