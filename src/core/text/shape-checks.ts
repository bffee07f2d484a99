/**
 * Tells whether a value that was read from a file has the form the code relies on. Files in an output folder are
 * untrusted: anybody may have written to them.
 */
export type ShapeCheck = (value: unknown) => boolean

/** A string that may stand in a path or on one line of JSON; NUL is in no name of any file system. */
export const isStringWithoutNul: ShapeCheck = (value) => typeof value === 'string' && !value.includes('\0')

/** A string of any content. */
export const isString: ShapeCheck = (value) => typeof value === 'string'

export const isBoolean: ShapeCheck = (value) => typeof value === 'boolean'

/** A finite number that sums and dates can be made of. */
export const isSafeNumber: ShapeCheck = (value) =>
  typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER

/** A size, a count or an amount of money: a finite number that is not negative. */
export const isNonNegative: ShapeCheck = (value) => isSafeNumber(value) && (value as number) >= 0

/** A time as `Date.toISOString` writes it. */
export const isTimestamp: ShapeCheck = (value) =>
  typeof value === 'string' &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value) &&
  !Number.isNaN(Date.parse(value))

/** A whole number as text, since JSON has no number that large. */
export const isDigits: ShapeCheck = (value) => typeof value === 'string' && /^\d{1,40}$/.test(value)

export function isOneOf(...values: readonly unknown[]): ShapeCheck {
  return (value) => values.includes(value)
}

/** Absent, or as the check wants it. */
export function optional(check: ShapeCheck): ShapeCheck {
  return (value) => value === undefined || check(value)
}

export function nullable(check: ShapeCheck): ShapeCheck {
  return (value) => value === null || check(value)
}

export function isListOf(check: ShapeCheck): ShapeCheck {
  return (value) => Array.isArray(value) && value.every((item) => check(item))
}

/** An object whose values all pass the check, whatever their names. */
export function isRecordOf(check: ShapeCheck): ShapeCheck {
  return (value) => isObject(value) && Object.values(value).every((field) => check(field))
}

/** An object with these fields; it may have more. */
export function isObjectWith(fields: Readonly<Record<string, ShapeCheck>>): ShapeCheck {
  const checks = Object.entries(fields)
  return (value) => isObject(value) && checks.every(([name, check]) => check(value[name]))
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
