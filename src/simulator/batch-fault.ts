import type { ApiError } from './api-error.ts'
import type { Behaviour } from './script.ts'

/**
 * A fault of a batch call: an error response, a connection lost before or after the work, a delay, or a
 * response cut off after `cutAfter` lines.
 */
export type BatchFault =
  | ApiError
  | { readonly lost: 'before' | 'after' }
  | { readonly lateMs: number }
  | { readonly cutAfter: number; readonly reset: boolean }

/** Converts a fault by rate to a fault of a batch call: errors and cut connections; undefined for others. */
export function toBatchFault(behaviour: Behaviour): BatchFault | undefined {
  if (behaviour.kind === 'status') return behaviour
  if (behaviour.kind === 'reset') return { lost: behaviour.inBody ? 'after' : 'before' }
  if (behaviour.kind === 'truncate') return { cutAfter: 1, reset: false }
  return undefined
}
