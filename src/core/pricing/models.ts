import { canonicalizeModelId } from './model-id.ts'

/** The `effort` parameter of the API: more effort costs more tokens and gives better results. */
export type Effort = 'low' | 'medium' | 'high' | 'xhigh' | 'max'
export const efforts: readonly Effort[] = ['low', 'medium', 'high', 'xhigh', 'max']

/** Prices in USD per million tokens. */
export interface Prices {
  readonly input: number
  readonly output: number
  readonly cacheWrite5m: number
  readonly cacheWrite1h: number
  readonly cacheRead: number
}

/** Properties of a model that claude-batch must know before it sends a request. */
export interface Model {
  /** Size of the context window: tokens of input and output together. */
  readonly contextTokens: number
  /** The largest `max_tokens` that the model accepts. */
  readonly maxOutputTokens: number
  /** Price tiers. The first one whose `maxPromptTokens` fits the prompt applies to the whole request. */
  readonly priceTiers: readonly { readonly maxPromptTokens: number; readonly prices: Prices }[]
  /** The efforts that the model accepts; empty if it rejects every effort with a 400. */
  readonly efforts: readonly Effort[]
  /**
   * The cheapest `thinking` for a plain summary; undefined if the request should not contain one. The model
   * accepts it only up to `high` effort; above that, the model decides.
   */
  readonly thinking?: 'disabled' | 'between_tools'
  /** Characters of prose per token, a low guess. Tokenizers since 4.7 give about 30 % more tokens. */
  readonly charsPerToken: number
  /** Whether `inference_geo: "us"` makes every token 10 % more expensive. */
  readonly hasRegionalPricing: boolean
  /** The announced retirement date, if any, and the model to use instead. */
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
 * Taken on the date {@link pricesAsOf} from https://platform.claude.com/docs/en/about-claude/pricing,
 * https://platform.claude.com/docs/en/models/overview and the pages of each model.
 */
const models = {
  'claude-haiku-5-5': {
    ...largeModel,
    // The only model with two price tiers: above 100,000 tokens of prompt, the whole request costs five times
    // as much.
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
  'claude-fable-5-2': {
    ...largeModel,
    priceTiers: createSingleTier(8, 40, 10, 16, 0.2),
    efforts: effortsToMax,
  },
  'claude-mythos-5-2': {
    ...largeModel,
    priceTiers: createSingleTier(8, 40, 10, 16, 0.2),
    efforts: effortsToMax,
  },
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
  'claude-opus-4-5': {
    ...olderModel,
    priceTiers: opusPrices,
    efforts: effortsToHigh,
    retirement: { date: '2027-01-22', replacement: 'claude-opus-5-5' },
  },
  'claude-haiku-4-5': { ...olderModel, priceTiers: createSingleTier(1, 5, 1.25, 2, 0.1), efforts: [] },
  'claude-sonnet-4-5': {
    ...olderModel,
    priceTiers: createSingleTier(3, 15, 3.75, 6, 0.3),
    efforts: [],
    retirement: { date: '2026-11-30', replacement: 'claude-sonnet-5-5' },
  },
} as const satisfies Record<string, Model>

/**
 * Retired models: the API no longer accepts requests for them.
 * @see https://platform.claude.com/docs/en/about-claude/model-deprecations
 */
const retiredModels: Readonly<Record<string, Model['retirement'] & {}>> = {
  'claude-mythos-preview': { date: '2026-06-30', replacement: 'claude-mythos-5-2' },
  'claude-opus-4-1': { date: '2026-08-05', replacement: 'claude-opus-5-5' },
  'claude-opus-4-1-20250805': { date: '2026-08-05', replacement: 'claude-opus-5-5' },
  'claude-opus-4-20250514': { date: '2026-06-15', replacement: 'claude-opus-5-5' },
  'claude-sonnet-4-20250514': { date: '2026-06-15', replacement: 'claude-sonnet-5-5' },
  'claude-3-haiku-20240307': { date: '2026-04-20', replacement: 'claude-haiku-5-5' },
  'claude-3-7-sonnet-20250219': { date: '2026-02-19', replacement: 'claude-sonnet-5-5' },
  'claude-3-5-haiku-20241022': { date: '2026-02-19', replacement: 'claude-haiku-5-5' },
}

/**
 * Returns the retirement of a model, past or announced. Undefined for ids of other providers, which have
 * different dates.
 */
export function findRetirement(model: string): Model['retirement'] {
  if (!/^[a-z0-9-]+$/.test(model)) return undefined
  return getOwn(retiredModels, model) ?? findModel(model)?.retirement
}

/** The date of the prices in the table. */
export const pricesAsOf = '2026-11-25'

/** The model for prompts and commands that name none. */
export const defaultModel = 'claude-haiku-5-5'

/** The limit of output tokens for prompts and commands that set none. */
export const defaultMaxTokens = 1024

/** Short names of models. */
const aliases: Readonly<Record<string, keyof typeof models>> = {
  haiku: 'claude-haiku-5-5',
  sonnet: 'claude-sonnet-5-5',
  opus: 'claude-opus-5-5',
}

/** The short names of models, from the cheapest to the most expensive. */
export const modelAliases: readonly string[] = Object.keys(aliases)

/**
 * Returns the model id for a name, in any case: `haiku` and `Claude-Haiku-5-5` become `claude-haiku-5-5`; unknown
 * names are unchanged.
 */
export function resolveModelAlias(name: string): string {
  const id = name.toLowerCase()
  return getOwn(aliases, id) ?? (Object.hasOwn(models, id) ? id : name)
}

/**
 * Returns the model with this name, alias, dated id or provider's id. Undefined for newer models and those of
 * compatible servers. Prices are list prices; providers may charge more.
 */
export function findModel(name: string): Model | undefined {
  return getOwn<Model>(models, name) ?? getOwn(models, canonicalizeModelId(resolveModelAlias(name)))
}

/** Whether two names mean the same model: they may be aliases, or dated or prefixed forms of the same id. */
export function isSameModel(a: string, b: string): boolean {
  return a === b || canonicalizeModelId(resolveModelAlias(a)) === canonicalizeModelId(resolveModelAlias(b))
}

/** All aliases and ids, for suggestions. */
export const knownModelNames: readonly string[] = [...modelAliases, ...Object.keys(models)]

function createSingleTier(...rates: [number, number, number, number, number]): Model['priceTiers'] {
  return [{ maxPromptTokens: Number.POSITIVE_INFINITY, prices: createPrices(...rates) }]
}

/** Takes prices in this order: input, output, cache write for 5 minutes and for an hour, cache read. */
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
