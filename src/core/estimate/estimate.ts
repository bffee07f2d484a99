import { findModel } from '../pricing/models.ts'
import type { Picodollars, PriceOf } from '../pricing/price.ts'
import { noUsage, promptTokens } from '../pricing/usage.ts'
import type { DocumentLine } from '../run/ledger-entry.ts'
import type { TextKind } from '../text/text-kind.ts'
import { studentT } from './confidence-interval.ts'

/** A request, as far as an estimate needs to know it. */
export interface Prospect {
  /** `summarize@v2`. */
  readonly prompt: string
  readonly model: string
  readonly kind: TextKind
  /** Of the whole prompt. */
  readonly characters: number
  readonly maxTokens: number
  /** Input, as the service counted it, where it was asked to. */
  readonly tokens?: number
}

/** What it will hardly be less than, what is to be expected, and what it will hardly be more than. */
export interface Bounds<T = number> {
  readonly low: T
  readonly expected: T
  readonly high: T
}

/** What requests will come to. Money in picodollars; undefined where a model has no price. */
export interface Forecast {
  readonly requests: number
  /** How many of them are like others that were measured; for the rest it is a guess. */
  readonly measured: number
  readonly input: Bounds
  readonly output: Bounds
  readonly live: Bounds<Picodollars> | undefined
  readonly batch: Bounds<Picodollars> | undefined
}

/** What earlier requests came to, by what they have in common. */
export type Experience = Map<string, Measured>

/** Sums, from which means and their spread follow: c is characters, i and o are tokens in and out. */
interface Measured {
  count: number
  c: number
  i: number
  o: number
  cc: number
  ci: number
  ii: number
  oo: number
}

/**
 * Adds what a document of the ledger came to. One that took several attempts says little, and so does one in chunks: what
 * its last request came to has nothing to do with its length.
 */
export function learn(
  experience: Experience,
  { status, attempts, chunks, usage, chars: c, kind, prompt, model }: DocumentLine,
): void {
  if (status !== 'summarized' || attempts !== 1 || chunks !== undefined) return
  if (usage === null || c === undefined || kind === undefined) return
  const key = keyOf({ prompt, model, kind })
  const sums = experience.get(key) ?? { count: 0, c: 0, i: 0, o: 0, cc: 0, ci: 0, ii: 0, oo: 0 }
  const [i, o] = [promptTokens(usage), usage.output]
  sums.count++
  sums.c += c
  sums.i += i
  sums.o += o
  sums.cc += c * c
  sums.ci += c * i
  sums.ii += i * i
  sums.oo += o * o
  experience.set(key, sums)
}

function keyOf({ prompt, model, kind }: Pick<Prospect, 'prompt' | 'model' | 'kind'>): string {
  return `${prompt} ${model} ${kind}`
}

/** What requests will come to, by what earlier ones like them came to; by a guess where there are too few of these. */
export function forecast(
  prospects: readonly Prospect[],
  experience: ReadonlyMap<string, Measured>,
  priceOf: PriceOf,
): Forecast {
  const groups = new Map<string, Prospect[]>()
  for (const prospect of prospects) {
    const key = keyOf(prospect)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [prospect])
    else group.push(prospect)
  }
  const totals = { requests: prospects.length, measured: 0, input: zero(), output: zero() }
  const [live, batch] = [free(), free()]
  for (const [key, group] of groups) {
    const measured = experience.get(key)
    const rates =
      measured !== undefined && measured.count >= enough ? learned(measured, group) : guessed(group)
    if (rates.measured) totals.measured += group.length
    for (const { model, characters, maxTokens, tokens } of group) {
      for (const bound of bounds) {
        const input = tokens ?? Math.round(characters * rates.input[bound])
        const output = Math.min(maxTokens, Math.round(rates.output[bound]))
        totals.input[bound] += input
        totals.output[bound] += output
        const usage = { ...noUsage, input, output }
        live[bound] = plus(live[bound], priceOf({ model, usage }))
        batch[bound] = plus(batch[bound], priceOf({ model, usage, terms: { batch: true } }))
      }
    }
  }
  return { ...totals, live: known(live), batch: known(batch) }
}

const bounds = ['low', 'expected', 'high'] as const
type Bound = (typeof bounds)[number]

/** Fewer than this say little. */
const enough = 5

/** Input tokens per character, and output tokens per request, which its `max_tokens` bounds. */
interface Rates {
  readonly measured: boolean
  readonly input: Bounds
  readonly output: Bounds
}

/** From a sample, with Student's interval for so many more like it. */
function learned({ count: n, c, i, o, cc, ci, ii, oo }: Measured, group: readonly Prospect[]): Rates {
  const t = studentT(n - 1)
  const more = group.length
  const characters = group.reduce((sum, { characters }) => sum + characters, 0)
  const ratio = i / c
  // Cochran, Sampling Techniques, 6.3: the ratio of sums, and the variance of what it leaves.
  const ratioVariance = Math.max(0, ii - 2 * ratio * ci + ratio ** 2 * cc) / (n - 1)
  const ratioError = Math.sqrt(ratioVariance * (1 / (n * (c / n) ** 2) + more / characters ** 2))
  const mean = o / n
  const variance = Math.max(0, oo - n * mean ** 2) / (n - 1)
  const error = Math.sqrt(variance * (1 / n + 1 / more))
  return { measured: true, input: around(ratio, t * ratioError), output: around(mean, t * error) }
}

/** Tomorrow's documents are never quite like yesterday's. */
const atLeast = 0.02

function around(value: number, half: number): Bounds {
  const by = half + atLeast * value
  return { low: Math.max(0, value - by), expected: value, high: value + by }
}

/**
 * Tokens per character, as multiples of what the table of models has for prose. That characters of code and of Chinese
 * make more of them is common knowledge; how many more is a guess.
 */
const guesses = {
  prose: { low: 0.65, expected: 1, high: 1.25 },
  code: { low: 0.75, expected: 1.15, high: 1.6 },
  cjk: { low: 1, expected: 2.2, high: 4 },
} as const satisfies Record<TextKind, Bounds>

/** Tokens that a character of such a text makes, guessed. */
export function tokensPerCharacter(model: string, kind: TextKind): Bounds {
  const perCharacter = 1 / (findModel(model)?.charsPerToken ?? 2.5)
  const { low, expected, high } = guesses[kind]
  return { low: low * perCharacter, expected: expected * perCharacter, high: high * perCharacter }
}

function guessed(group: readonly Prospect[]): Rates {
  const { kind, model } = group[0] ?? { kind: 'prose', model: '' }
  return {
    measured: false,
    input: tokensPerCharacter(model, kind),
    output: { low: 30, expected: 200, high: Number.POSITIVE_INFINITY },
  }
}

function zero(): Record<Bound, number> {
  return { low: 0, expected: 0, high: 0 }
}

function free(): Record<Bound, Picodollars | undefined> {
  return { low: 0n, expected: 0n, high: 0n }
}

function plus(sum: Picodollars | undefined, cost: Picodollars | undefined): Picodollars | undefined {
  return sum === undefined || cost === undefined ? undefined : sum + cost
}

function known({ low, expected, high }: ReturnType<typeof free>): Bounds<Picodollars> | undefined {
  return low === undefined || expected === undefined || high === undefined
    ? undefined
    : { low, expected, high }
}
