import { truncate } from '../text/truncate.ts'
import { judge } from './classify-error.ts'
import { type Fault, fromSomethingElse, isTooLong, isUnreachable, needsExtraUsage } from './request-error.ts'

/** Why a document has no summary, as its record and its JSON tell it. */
export interface Failure {
  /** An HTTP status, or the part that failed. */
  readonly kind:
    | number
    | 'input'
    | 'output'
    | 'reply'
    | 'stream'
    | 'connection'
    | 'tls'
    | 'timeout'
    | 'malformed'
  readonly type: string
  readonly message: string
  readonly requestId?: string
  /** The next run, unchanged, may well succeed. */
  readonly transient: boolean
}

/** The failure of a document whose last sending ended in this fault. */
export function failureOf(fault: Fault): Failure {
  const hint = hintFor(fault)
  return {
    kind:
      fault.kind === 'status' && fault.status !== undefined
        ? fault.status
        : (fault.kind as Exclude<Fault['kind'], 'status'>),
    type: fault.type,
    message: hint === undefined ? fault.message : `${fault.message}; ${hint}`,
    transient: judge(fault).blame === 'service',
    ...(fault.requestId !== undefined && { requestId: fault.requestId }),
  }
}

/** `529 overloaded_error: Overloaded`: the first line of a record after its `ERROR: `. May hold untrusted text. */
export function failureLine({ kind, type, message }: Failure): string {
  return `${kind} ${type}: ${truncate(message.replace(/\s+/g, ' ').trim(), 300)}`
}
/** What can be done about it, where that is not the same for every error. */
function hintFor(fault: Fault): string | undefined {
  if (needsExtraUsage(fault)) return 'allow extra usage for the account in the console, or split the document'
  if (isTooLong(fault)) return 'split the document'
  if (fault.page !== undefined && judge(fault).blame !== 'service')
    return `${fromSomethingElse(fault.page)}; it may object to this document`
  return isUnreachable(fault) ? 'check the network, ANTHROPIC_BASE_URL and any proxy' : undefined
}
