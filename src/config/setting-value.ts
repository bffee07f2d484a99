import { UsageError } from '../errors.ts'
import type { Flag } from './flag.ts'
import { isSwitch } from './flag-names.ts'

/** The parsed value of a flag that does not come from the command line. */
export interface SettingValue {
  readonly value: unknown
  /** Where the value was set: `CLAUDE_BATCH_RPM` or `claude-batch.yaml:3`. */
  readonly origin: string
}

/**
 * Returns the effective value of a flag that is set in several places.
 * @param candidates the values, the lowest precedence first
 */
export function combineSettingValues(
  flag: Pick<Flag, 'accumulates'> | undefined,
  candidates: readonly (SettingValue | undefined)[],
): SettingValue | undefined {
  const values = candidates.filter((candidate) => candidate !== undefined)
  if (!flag?.accumulates || values.length < 2) return values.at(-1)
  return {
    value: values.flatMap(({ value }) => value as readonly unknown[]),
    origin: values.map(({ origin }) => origin).join(', '),
  }
}

/** Parses the value of an environment variable. @throws UsageError that names it */
export function parseVariableValue(flag: Flag, text: string, origin: string): SettingValue {
  if (isSwitch(flag)) {
    const isOn = switchValues[text.trim().toLowerCase()]
    if (isOn === undefined)
      throw new UsageError(`${origin}: expected true or false, got ${JSON.stringify(text)}`)
    return { value: isOn, origin }
  }
  const acceptsList = flag.parse?.schema.type === 'array' || flag.parse?.schema.type === 'object'
  return parseTexts(
    flag,
    acceptsList ? text.split('\n').filter((line) => line !== '') : [text],
    origin,
    origin,
  )
}

const switchValues: Readonly<Record<string, boolean>> = {
  '1': true,
  true: true,
  yes: true,
  '0': false,
  false: false,
  no: false,
}

/**
 * Parses the value of a setting in a configuration file.
 * @param where file, line, column and key, for messages
 * @throws UsageError
 */
export function parseConfigValue(flag: Flag, value: unknown, where: string, origin: string): SettingValue {
  const createError = (expected: string) => new UsageError(`${where}: expected ${expected}`)
  if (isSwitch(flag)) {
    if (typeof value !== 'boolean') throw createError(`true or false, got ${JSON.stringify(value)}`)
    return { value, origin }
  }
  const { type } = flag.parse?.schema ?? { type: 'string' }
  if (type === 'object') {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw createError('a mapping of names to texts')
    const pairs = Object.entries(value).map(([key, text]) => `${key}=${toScalarText(text, createError)}`)
    return parseTexts(flag, pairs, where, origin)
  }
  const isNumeric = type === 'integer' || type === 'number'
  if (isNumeric && typeof value === 'string')
    throw createError(`a number, without quotes, not ${JSON.stringify(value)}`)
  const items = Array.isArray(value)
    ? value.map((item) => toScalarText(item, createError))
    : [toScalarText(value, createError)]
  if (type === 'array') return parseTexts(flag, items, where, origin)
  if (Array.isArray(value) && !type.includes('array')) throw createError('one value, not a list')
  return parseTexts(flag, [items.join(',')], where, origin)
}

function toScalarText(value: unknown, createError: (expected: string) => UsageError): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw createError('a text or a number')
}

function parseTexts(flag: Flag, texts: readonly string[], where: string, origin: string): SettingValue {
  let value: unknown
  for (const text of texts) value = flag.parse?.(text, where, value as never)
  return { value, origin }
}
