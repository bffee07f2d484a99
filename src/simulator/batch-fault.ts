import type { ApiError } from './api-error.ts'
import type { Behaviour } from './script.ts'

/** What befalls a call: its answer is an error, is lost before or after the work, comes late, or ends after so many lines. */
export type BatchFault =
  | ApiError
  | { readonly lost: 'before' | 'after' }
  | { readonly lateMs: number }
  | { readonly cutAfter: number; readonly reset: boolean }

/** What a rate of faults does to calls: those that are errors or break off. */
export function toBatchFault(behaviour: Behaviour): BatchFault | undefined {
  if (behaviour.kind === 'status') return behaviour
  if (behaviour.kind === 'reset') return { lost: behaviour.inBody ? 'after' : 'before' }
  if (behaviour.kind === 'truncate') return { cutAfter: 1, reset: false }
  return undefined
}
