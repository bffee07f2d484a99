import type { Exit } from '../errors.ts'

/** What a check is about. */
export type CheckName =
  | 'version'
  | 'settings'
  | 'prompt'
  | 'prices'
  | 'converters'
  | 'provider'
  | 'proxy'
  | 'credentials'
  | 'api'
  | 'limits'
  | 'clock'
  | 'output'
  | 'disk'

/** The result of one check. */
export interface Check {
  readonly name: CheckName
  /** `error`: a run would fail. `warning`: a run works, but something deserves attention. */
  readonly status: 'ok' | 'warning' | 'error'
  /** What was found, in one line. It never contains a secret, but it may contain untrusted text. */
  readonly found: string
  /** What to do about a warning or an error. */
  readonly advice?: string
  /** For an error: how a run would end. */
  readonly exit?: Exit
}

/** Returns a check that found nothing wrong. */
export function passed(name: CheckName, found: string): Check {
  return { name, status: 'ok', found }
}

/** Returns a check that found something that deserves attention. */
export function warned(name: CheckName, found: string, advice: string): Check {
  return { name, status: 'warning', found, advice }
}

/** Returns a check that found why a run would fail. */
export function failedCheck(name: CheckName, exit: Exit, found: string, advice?: string): Check {
  return { name, status: 'error', found, exit, ...(advice !== undefined && { advice }) }
}
