import type { ShardSetting } from '../core/document/shard.ts'
import { findModel, knownModelNames, type Prices, resolveModelAlias } from '../core/pricing/models.ts'
import { findNearestName } from '../core/text/find-nearest-name.ts'
import { parseHost } from '../core/text/parse-host.ts'
import { splitCommandLine } from '../core/text/split-command-line.ts'
import { UsageError } from '../errors.ts'
import { defaultExtensions } from './default-extensions.ts'

/** The JSON Schema of a value in a configuration file. */
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

/**
 * Prices of input and output, optionally followed by cache write for 5 minutes, cache write for an hour, and
 * cache read.
 */
const ratesPattern = /^\d{1,6}(\.\d{1,6})?\/\d{1,6}(\.\d{1,6})?((\/\d{1,6}(\.\d{1,6})?){3})?$/

const string: ValueSchema = { type: 'string' }

/** Parses a text that is not empty. */
export const text = withSchema(string, (value: string, flag: string): string => {
  if (value.trim() === '') throw new UsageError(`${flag}: expected a text, got nothing`)
  return value
})

/** Parses a text and appends it to those of earlier occurrences of the flag. */
export const texts = withSchema(
  { type: 'array', items: string },
  (value: string, flag: string, previous: readonly string[] = []): readonly string[] => [
    ...previous,
    text(value, flag),
  ],
)

/**
 * Parses a host, spells it as a URL parser does, and appends it to those of earlier occurrences of the flag.
 */
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

/** Parses a program with its arguments, as {@link splitCommandLine} splits it. */
export const commandLine = withSchema(string, (value: string, flag: string): string => {
  // The message does not contain the value, because an argument may be secret.
  if (splitCommandLine(value) === undefined)
    throw new UsageError(`${flag}: expected a program and its arguments, with every quote closed`)
  return value
})

/** Parses a file extension and the program that reads such files: `doc=antiword {}`. */
export const convertCommands = withSchema(
  { type: 'object', additionalProperties: string },
  (
    value: string,
    flag: string,
    previous: Readonly<Record<string, string>> = {},
  ): Readonly<Record<string, string>> => {
    const [, extension, command = ''] = /^(?:\*?\.)?([\w+-]+)=(.*)$/s.exec(value.trim()) ?? []
    if (extension === undefined)
      throw new UsageError(`${flag}: expected an extension and a command, like "heic=heif-text {}"`)
    const [, ...args] = splitCommandLine(command) ?? []
    if (splitCommandLine(command) === undefined)
      throw new UsageError(`${flag}: expected a program and its arguments, with every quote closed`)
    if (!args.some((word) => word.includes('{}')))
      throw new UsageError(
        `${flag}: the command for .${extension} has no {} among its arguments; it stands for the path of the file`,
      )
    return { ...previous, [extension.toLowerCase()]: command }
  },
)

/** A pattern of paths to exclude. */
export interface ExcludePattern {
  readonly pattern: string
  /**
   * Absolute path of the configuration file's folder, if the pattern comes from one; undefined for a pattern
   * that is relative to the working directory.
   */
  readonly folder?: string
}

/** Parses an exclude pattern and appends it to those of earlier occurrences of the flag. */
export const patterns = withSchema(
  { type: 'array', items: string },
  (value: string, flag: string, previous: readonly ExcludePattern[] = []): readonly ExcludePattern[] => {
    const pattern = text(value, flag)
    // In a .gitignore, a leading `!` negates a pattern; `!(a|b)` is a group.
    if (/^!(?!\()/.test(pattern))
      throw new UsageError(
        `${flag}: ${JSON.stringify(pattern)} begins with "!", but an excluded path cannot be included again; write ${JSON.stringify(`./${pattern}`)} for a file of that name`,
      )
    return [...previous, { pattern }]
  },
)

/** Returns a function that makes patterns relative to the folder of their configuration file. */
export function resolvePatternsIn(
  folder: string,
): (given: readonly ExcludePattern[]) => readonly ExcludePattern[] {
  return (patterns) => patterns.map(({ pattern }) => ({ pattern, folder }))
}

/**
 * Returns a parser of decimal numbers within bounds. It rejects `NaN`, `Infinity`, `0x10`, `1e9` and `5x`,
 * which JavaScript accepts.
 */
export function number(min: number, max: number) {
  return withSchema({ type: 'number', minimum: min, maximum: max }, (value: string, flag: string): number => {
    const parsed = /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : Number.NaN
    if (parsed >= min && parsed <= max) return parsed
    const range =
      min === 0 ? `from 0 to ${max}` : min < 1 ? `above 0, at most ${max}` : `from ${min} to ${max}`
    throw new UsageError(`${flag}: expected a number ${range}, got ${JSON.stringify(value)}`)
  })
}

/**
 * Returns a parser of times: `90`, `90s`, `1.5m`, `2h` or `200ms`. Its result and the bounds are in seconds;
 * a number without a unit is seconds too.
 */
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

/** Returns the shortest notation of a time: `90s`, `10m`, `2h`. */
function formatSeconds(seconds: number): string {
  if (seconds === 0 || seconds % 60 !== 0) return `${seconds}s`
  return seconds % 3600 === 0 ? `${seconds / 3600}h` : `${seconds / 60}m`
}

const datePattern = /^\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d)?)?)?)?$/

const durationPattern = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/

const secondsPerUnit = { ms: 0.001, s: 1, m: 60, h: 3600 }

/** Returns a parser of whole numbers within bounds. */
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

/** Parses a shard: `2/5` is the second of five, `auto` or `auto/5` the one of this task of a job array. */
export const shard = withSchema(
  { type: 'string', pattern: '^(auto|auto/[1-9]\\d*|[1-9]\\d*/[1-9]\\d*)$' },
  (value: string, flag: string): ShardSetting => {
    const [, part = '', of = part === 'auto' ? undefined : '0'] =
      /^(auto|\d{1,9})(?:\/(\d{1,9}))?$/.exec(value) ?? []
    const [index, count] = [Number(part), of === undefined ? undefined : Number(of)]
    if (part === 'auto' && count !== 0) return { auto: true, count }
    if (count === undefined || !(index >= 1 && index <= count))
      throw new UsageError(
        `${flag}: expected a part and the number of parts, like 2/5, or auto, got ${JSON.stringify(value)}`,
      )
    return { index, count }
  },
)

/** Parses the name of a character encoding that browsers know, or `auto`. */
export const encoding = withSchema(string, (value: string, flag: string): string => {
  const label = value.trim().toLowerCase()
  if (label === 'auto') return label
  // Other programs spell some names with other signs: `latin-1`, `utf_8`, `euc_kr`.
  const spellings = [label, label.replaceAll('_', '-'), label.replace(/[-_ ]/g, '')]
  const found = spellings.map(findEncoding).find((name) => name !== undefined)
  if (found !== undefined) return found
  const similar = findNearestName(label, commonEncodings)
  throw new UsageError(
    `${flag}: expected an encoding like windows-1252 or shift_jis, or auto, got ${JSON.stringify(value)}${similar === undefined ? '' : `; did you mean ${similar}?`}`,
  )
})

function findEncoding(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding
  } catch {
    return undefined
  }
}

/** Names for suggestions. */
const commonEncodings = [
  ...['utf-8', 'utf-16le', 'utf-16be', 'windows-1250', 'windows-1251', 'windows-1252', 'iso-8859-1'],
  ...['iso-8859-2', 'iso-8859-15', 'latin1', 'macintosh', 'shift_jis', 'euc-jp', 'euc-kr', 'gbk'],
  ...['gb18030', 'big5', 'koi8-r', 'auto'],
]

/** Returns a parser that accepts one of some words. */
export function choice<const Choice extends string>(choices: readonly Choice[]) {
  return withSchema({ type: 'string', enum: choices }, (value: string, flag: string): Choice => {
    const found = choices.find((choice) => choice === value)
    if (found === undefined)
      throw new UsageError(`${flag}: expected ${joinWithOr(choices)}, got ${JSON.stringify(value)}`)
    return found
  })
}

/** Returns a parser of comma-separated lists of some words. */
export function choices<const Choice extends string>(allowed: readonly Choice[]) {
  const schema = { type: ['array', 'string'], items: { type: 'string', enum: allowed } }
  return withSchema(schema, (value: string, flag: string): readonly Choice[] =>
    value.split(',').map((item) => {
      const found = allowed.find((choice) => choice === item.trim())
      if (found === undefined)
        throw new UsageError(`${flag}: expected ${joinWithOr(allowed)}, got ${JSON.stringify(item.trim())}`)
      return found
    }),
  )
}

function joinWithOr(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

/**
 * Parses a list of extensions: `md,.txt, RST` becomes `md`, `txt`, `rst`. Items with a sign add to the default list or
 * remove from it: `+json,-csv`.
 */
export const extensions = withSchema({ type: ['array', 'string'], items: string }, parseExtensions)

function parseExtensions(value: string, flag: string): readonly string[] {
  const items = value.split(',').map((item) => {
    const [, sign = '', name = ''] = /^([+-]?)(?:\*?\.)?(.*)$/s.exec(item.trim().toLowerCase()) ?? []
    if (!/^[\w+-]+$/.test(name))
      throw new UsageError(
        `${flag}: expected extensions like md,txt or +json,-csv, got ${JSON.stringify(value)}`,
      )
    return { sign, name }
  })
  const names = (sign: string) => items.filter((item) => item.sign === sign).map(({ name }) => name)
  const [plain, added, removed] = [names(''), names('+'), names('-')]
  if (plain.length === items.length) return plain
  if (plain.length > 0)
    throw new UsageError(
      `${flag}: ${value} mixes a list with changes of the default list; write + or - before every extension, or before none`,
    )
  return [...new Set([...defaultExtensions, ...added])].filter((name) => !removed.includes(name))
}

/**
 * Parses the price of a model, such as `my-model=0.50/2`, and adds it to earlier ones; see {@link Prices}.
 */
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
        `${flag}: expected a model and its prices in USD per million input and output tokens, like my-model=0.50/2, got ${JSON.stringify(value)}`,
      )
    const [input = 0, output = 0, ...cacheRates] = rateList.split('/').map(Number)
    // For nearly all models, these three are the same multiples of the input price.
    const [cacheWrite5m = input * 1.25, cacheWrite1h = input * 2, cacheRead = input / 10] = cacheRates
    return {
      ...previous,
      [resolveModelAlias(model)]: { input, output, cacheWrite5m, cacheWrite1h, cacheRead },
    }
  },
)

/** Returns prices as a configuration file has them, by model: `0.50/2/…`. */
export function formatPrices(prices: Readonly<Record<string, Prices>>): Readonly<Record<string, string>> {
  const joinRates = ({ input, output, cacheWrite5m, cacheWrite1h, cacheRead }: Prices) =>
    [input, output, cacheWrite5m, cacheWrite1h, cacheRead].join('/')
  return Object.fromEntries(
    Object.entries(prices).map(([model, modelPrices]) => [model, joinRates(modelPrices)]),
  )
}

/** Parses `key=value` and adds it to the pairs of earlier occurrences of the flag. */
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

/** Parses a model and its id at the provider: `haiku=my-deployment`. */
export const modelIdPairs = withSchema(
  { type: 'object', additionalProperties: string },
  (
    value: string,
    flag: string,
    previous: Readonly<Record<string, string>> = {},
  ): Readonly<Record<string, string>> => {
    const [, model, id] = /^([^\s=]+)=([\x21-\x7e]+)$/.exec(value) ?? []
    if (model === undefined || id === undefined)
      throw new UsageError(
        `${flag}: expected a model and its id, like haiku=my-deployment, got ${JSON.stringify(value)}`,
      )
    const similar = findModel(model) === undefined ? findNearestName(model, knownModelNames) : undefined
    if (similar !== undefined)
      throw new UsageError(`${flag}: there is no model ${JSON.stringify(model)}; did you mean ${similar}?`)
    return { ...previous, [model]: id }
  },
)

/** Parses a date or time in UTC: `2026-11`, `2026-11-01` or `2026-11-01 03:17`. The value is the beginning of an ISO 8601 time. */
export const date = withSchema(
  { type: 'string', pattern: datePattern.source },
  (value: string, flag: string): string => {
    const text = value.trim().replace(' UTC', '').replace(' ', 'T').replace(/Z$/, '')
    const full = `${text}${'-01-01T00:00:00'.slice(Math.max(0, text.length - 4))}`
    if (datePattern.test(text) && !Number.isNaN(Date.parse(`${full}Z`))) return text
    throw new UsageError(`${flag}: expected a date like 2026-11-01, got ${JSON.stringify(value)}`)
  },
)
