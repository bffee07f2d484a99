import { UsageError } from '../errors.ts'
import type { Flag } from './flag.ts'
import { isSwitch } from './key.ts'

/** What was given for a flag somewhere else than on the command line, as the value it comes to. */
export interface Given {
  readonly value: unknown
  /** `CLAUDE_BATCH_RPM`, `claude-batch.yaml:3`. */
  readonly origin: string
}

/** What holds where a flag was given in several places. @param places in order of precedence, the lowest first */
export function combined(
  flag: Pick<Flag, 'adds'> | undefined,
  places: readonly (Given | undefined)[],
): Given | undefined {
  const given = places.filter((place) => place !== undefined)
  if (!flag?.adds || given.length < 2) return given.at(-1)
  return {
    value: given.flatMap(({ value }) => value as readonly unknown[]),
    origin: given.map(({ origin }) => origin).join(', '),
  }
}

/** The value of an environment variable. @throws UsageError that names it */
export function givenByText(flag: Flag, text: string, origin: string): Given {
  if (isSwitch(flag)) {
    const on = switches[text.trim().toLowerCase()]
    if (on === undefined)
      throw new UsageError(`${origin}: expected true or false, got ${JSON.stringify(text)}`)
    return { value: on, origin }
  }
  const several = flag.parse?.schema.type === 'array' || flag.parse?.schema.type === 'object'
  return parsed(flag, several ? text.split('\n').filter((line) => line !== '') : [text], origin, origin)
}

const switches: Readonly<Record<string, boolean>> = {
  '1': true,
  true: true,
  yes: true,
  '0': false,
  false: false,
  no: false,
}

/**
 * The value of an entry in a file.
 * @param where for messages: file, line and column, and the key
 * @throws UsageError
 */
export function givenByValue(flag: Flag, value: unknown, where: string, origin: string): Given {
  const wrong = (expected: string) => new UsageError(`${where}: expected ${expected}`)
  if (isSwitch(flag)) {
    if (typeof value !== 'boolean') throw wrong('true or false')
    return { value, origin }
  }
  const { type } = flag.parse?.schema ?? { type: 'string' }
  if (type === 'object') {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw wrong('a mapping of names to texts')
    const pairs = Object.entries(value).map(([key, text]) => `${key}=${scalar(text, wrong)}`)
    return parsed(flag, pairs, where, origin)
  }
  const numeric = type === 'integer' || type === 'number'
  if (numeric && typeof value === 'string')
    throw wrong(`a number, without quotes, not ${JSON.stringify(value)}`)
  const items = Array.isArray(value) ? value.map((item) => scalar(item, wrong)) : [scalar(value, wrong)]
  if (type === 'array') return parsed(flag, items, where, origin)
  if (Array.isArray(value) && !type.includes('array')) throw wrong('one value, not a list')
  return parsed(flag, [items.join(',')], where, origin)
}

function scalar(value: unknown, wrong: (expected: string) => UsageError): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw wrong('a text or a number')
}

function parsed(flag: Flag, texts: readonly string[], where: string, origin: string): Given {
  let value: unknown
  for (const text of texts) value = flag.parse?.(text, where, value as never)
  return { value, origin }
}
