import type { Mark } from '../core/document/mark.ts'

/** Whether a value from the caller is a list of marks of a text. */
export function isMarks(value: unknown): value is readonly Mark[] {
  return Array.isArray(value) && value.every((mark) => isMark(Object(mark)))
}

function isMark({ offset, kind, label }: Partial<Record<keyof Mark, unknown>>): boolean {
  return typeof offset === 'number' && typeof kind === 'string' && typeof label === 'string'
}
