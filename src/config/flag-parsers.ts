import type { Shard } from '../core/document/shard.ts'
import { type Prices, resolveModelAlias } from '../core/pricing/models.ts'
import { parseHost } from '../core/text/parse-host.ts'
import { UsageError } from '../errors.ts'

/** What a value looks like where it is no text of the command line, as JSON Schema has it. */
export interface ValueSchema {
  readonly type: string | readonly string[]
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
  readonly items?: ValueSchema
  readonly additionalProperties?: ValueSchema
}

function withSchema<Parse>(schema: ValueSchema, parse: Parse): Parse & { readonly schema: ValueSchema } {
  return Object.assign(parse as Parse & object, { schema })
}

/** Input and output, and then either none or all of cache write for 5 minutes, for an hour, and cache read. */
const ratesPattern = /^\d{1,6}(\.\d{1,6})?\/\d{1,6}(\.\d{1,6})?((\/\d{1,6}(\.\d{1,6})?){3})?$/

const string: ValueSchema = { type: 'string' }

/** A text that is not empty. */
export const text = withSchema(string, (value: string, flag: string): string => {
  if (value.trim() === '') throw new UsageError(`${flag}: expected a text, got nothing`)
  return value
})

/** Texts, one for each time the flag is given. */
export const texts = withSchema(
  { type: 'array', items: string },
  (value: string, flag: string, previous: readonly string[] = []): readonly string[] => [
    ...previous,
    text(value, flag),
  ],
)

/** Hosts, one for each time the flag is given, spelled as a URL parser spells them. */
export const hosts = withSchema(
  { type: 'array', items: string },
  (value: string, flag: string, previous: readonly string[] = []): readonly string[] => {
    const host = parseHost(value)
    if (host === undefined)
      throw new UsageError(
        `${flag}: expected a host like gateway.internal, without scheme, port or path, got ${JSON.stringify(value)}`,
      )
    return [...previous, host]
  },
)

/** A pattern of what is left out. */
export interface ExcludePattern {
  readonly pattern: string
  /** Absolute: of the configuration file that has it; undefined for one that is relative to the working directory. */
  readonly folder?: string
}

/** Patterns of what is left out, one for each time the flag is given. */
export const patterns = withSchema(
  { type: 'array', items: string },
  (value: string, flag: string, previous: readonly ExcludePattern[] = []): readonly ExcludePattern[] => {
    const pattern = text(value, flag)
    // In a .gitignore it takes back another pattern; `!(a|b)` is a group.
    if (/^!(?!\()/.test(pattern))
      throw new UsageError(
        `${flag}: ${JSON.stringify(pattern)} begins with "!", and what is excluded cannot be taken back; write ${JSON.stringify(`./${pattern}`)} for a file of that name`,
      )
    return [...previous, { pattern }]
  },
)

/** Notes for patterns in a configuration file which folder they are relative to. */
export function resolvePatternsIn(
  folder: string,
): (given: readonly ExcludePattern[]) => readonly ExcludePattern[] {
  return (patterns) => patterns.map(({ pattern }) => ({ pattern, folder }))
}

/** A decimal number within bounds: not `NaN`, `Infinity`, `0x10`, `1e9` or `5x`, which JavaScript would let pass. */
export function number(min: number, max: number) {
  return withSchema({ type: 'number', minimum: min, maximum: max }, (value: string, flag: string): number => {
    const parsed = /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : Number.NaN
    if (parsed >= min && parsed <= max) return parsed
    const range =
      min === 0 ? `from 0 to ${max}` : min < 1 ? `above 0, at most ${max}` : `from ${min} to ${max}`
    throw new UsageError(`${flag}: expected a number ${range}, got ${JSON.stringify(value)}`)
  })
}

/** A time, as `90`, `90s`, `1.5m`, `2h` or `200ms`; a bare number is seconds. @returns seconds */
export function duration(min: number, max: number) {
  const schema = { type: ['number', 'string'], minimum: min, maximum: max, pattern: durationPattern.source }
  const parse = withSchema(schema, (value: string, flag: string): number => {
    const [, digits, unit = 's'] = durationPattern.exec(value.trim()) ?? []
    const parsed = Number(digits) * secondsPerUnit[unit as keyof typeof secondsPerUnit]
    if (parsed >= min && parsed <= max) return parsed
    const range = min === 0 ? `up to ${max}s` : `from ${min}s to ${max}s`
    throw new UsageError(
      `${flag}: expected a time like 90s, 5m or 2h, ${range}, got ${JSON.stringify(value)}`,
    )
  })
  return Object.assign(parse, { format: formatSeconds })
}

/** The shortest way to write a time: `90s`, `10m`, `2h`. */
function formatSeconds(seconds: number): string {
  if (seconds === 0 || seconds % 60 !== 0) return `${seconds}s`
  return seconds % 3600 === 0 ? `${seconds / 3600}h` : `${seconds / 60}m`
}

const durationPattern = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/

const secondsPerUnit = { ms: 0.001, s: 1, m: 60, h: 3600 }

/** A whole number within bounds. */
export function integer(min: number, max: number) {
  return withSchema(
    { type: 'integer', minimum: min, maximum: max },
    (value: string, flag: string): number => {
      const parsed = /^\d+$/.test(value.trim()) ? Number(value) : Number.NaN
      if (parsed >= min && parsed <= max) return parsed
      throw new UsageError(
        `${flag}: expected a whole number from ${min} to ${max}, got ${JSON.stringify(value)}`,
      )
    },
  )
}

/** `2/5`: which of how many parts. */
export const shard = withSchema(
  { type: 'string', pattern: '^[1-9]\\d*/[1-9]\\d*$' },
  (value: string, flag: string): Shard => {
    const [part = 0, of = 0] = /^\d+\/\d+$/.test(value) ? value.split('/').map(Number) : []
    if (part < 1 || part > of)
      throw new UsageError(
        `${flag}: expected which of how many parts, like 2/5, got ${JSON.stringify(value)}`,
      )
    return { index: part, count: of }
  },
)

/** A character encoding by any name that browsers know, or `auto`. */
export const encoding = withSchema(string, (value: string, flag: string): string => {
  try {
    return value === 'auto' ? value : new TextDecoder(value).encoding
  } catch {
    throw new UsageError(
      `${flag}: expected an encoding like windows-1252 or shift_jis, or auto, got ${JSON.stringify(value)}`,
    )
  }
})

/** One of a few words. */
export function choice<const Choice extends string>(choices: readonly Choice[]) {
  return withSchema({ type: 'string', enum: choices }, (value: string, flag: string): Choice => {
    const found = choices.find((choice) => choice === value)
    if (found === undefined)
      throw new UsageError(`${flag}: expected ${choices.join(', ')}, got ${JSON.stringify(value)}`)
    return found
  })
}

/** A comma-separated list of a few words. */
export function choices<const Choice extends string>(allowed: readonly Choice[]) {
  const schema = { type: ['array', 'string'], items: { type: 'string', enum: allowed } }
  return withSchema(schema, (value: string, flag: string): readonly Choice[] =>
    value.split(',').map((item) => {
      const found = allowed.find((choice) => choice === item.trim())
      if (found === undefined)
        throw new UsageError(
          `${flag}: expected ${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1)}, got ${JSON.stringify(item.trim())}`,
        )
      return found
    }),
  )
}

/** `md,.txt, RST` as `md`, `txt`, `rst`. */
export const extensions = withSchema({ type: ['array', 'string'], items: string }, parseExtensions)

function parseExtensions(value: string, flag: string): readonly string[] {
  const items = value.split(',').map((item) =>
    item
      .trim()
      .replace(/^\*?\./, '')
      .toLowerCase(),
  )
  if (items.some((item) => !/^[\w+-]+$/.test(item)))
    throw new UsageError(`${flag}: expected extensions like md,txt, got ${JSON.stringify(value)}`)
  return items
}

/** `my-model=0.50/2`: models and what they cost; see {@link Prices}. */
export const prices = withSchema(
  { type: 'object', additionalProperties: { type: 'string', pattern: ratesPattern.source } },
  (
    value: string,
    flag: string,
    previous: Readonly<Record<string, Prices>> = {},
  ): Readonly<Record<string, Prices>> => {
    const [, model, rateList = ''] = /^([^=\s]+)=(.*)$/s.exec(value) ?? []
    if (model === undefined || !ratesPattern.test(rateList))
      throw new UsageError(
        `${flag}: expected a model and dollars per million tokens in and out, like my-model=0.50/2, got ${JSON.stringify(value)}`,
      )
    const [input = 0, output = 0, ...cacheRates] = rateList.split('/').map(Number)
    // As multiples of the input's price these three are alike for nearly all models.
    const [cacheWrite5m = input * 1.25, cacheWrite1h = input * 2, cacheRead = input / 10] = cacheRates
    return {
      ...previous,
      [resolveModelAlias(model)]: { input, output, cacheWrite5m, cacheWrite1h, cacheRead },
    }
  },
)

/** Prices as a configuration file has them: `0.50/2/…`, by their models. */
export function formatPrices(prices: Readonly<Record<string, Prices>>): Readonly<Record<string, string>> {
  const joinRates = ({ input, output, cacheWrite5m, cacheWrite1h, cacheRead }: Prices) =>
    [input, output, cacheWrite5m, cacheWrite1h, cacheRead].join('/')
  return Object.fromEntries(
    Object.entries(prices).map(([model, modelPrices]) => [model, joinRates(modelPrices)]),
  )
}

/** `key=value`, added to those before. */
export const keyValuePairs = withSchema({ type: 'object', additionalProperties: string }, parsePair)

function parsePair(
  value: string,
  flag: string,
  previous: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, key, rest] = /^([a-z_][a-z0-9_-]*)=(.*)$/is.exec(value) ?? []
  if (key === undefined || rest === undefined)
    throw new UsageError(`${flag}: expected key=value, got ${JSON.stringify(value)}`)
  return { ...previous, [key]: rest }
}
