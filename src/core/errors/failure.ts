import { truncate } from '../text/truncate.ts'
import { isTransient } from './classify-error.ts'
import {
  describeNonApiResponse,
  getBaseUrlSetting,
  isExtraUsageRequired,
  isTooLong,
  isUnreachable,
  type RequestError,
} from './request-error.ts'

/** Why a document has no summary, as written to its error record and to JSON. */
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
    | 'credentials'
  readonly type: string
  readonly message: string
  readonly requestId?: string
  /** Whether the same run may succeed later. */
  readonly transient: boolean
}

/** Returns the failure of a document whose last attempt ended with this error. */
export function toFailure(requestError: RequestError): Failure {
  const hint = findHint(requestError)
  return {
    kind:
      requestError.kind === 'status' && requestError.status !== undefined
        ? requestError.status
        : (requestError.kind as Exclude<RequestError['kind'], 'status'>),
    type: requestError.type,
    message: hint === undefined ? requestError.message : `${requestError.message}; ${hint}`,
    transient: isTransient(requestError),
    ...(requestError.requestId !== undefined && { requestId: requestError.requestId }),
  }
}

/** Returns a failure as one line: `529 overloaded_error: Overloaded`. It may contain untrusted text. */
export function formatFailure({ kind, type, message }: Failure): string {
  return `${kind} ${type}: ${truncate(message.replace(/\s+/g, ' ').trim(), 300)}`
}

/** Returns what the user can do about an error, if there is something specific. */
function findHint(requestError: RequestError): string | undefined {
  if (isExtraUsageRequired(requestError))
    return 'allow extra usage for the account in the console, or split the document'
  if (isTooLong(requestError)) return 'split the document'
  if (requestError.nonApiResponse !== undefined && !isTransient(requestError))
    return `${describeNonApiResponse(requestError.nonApiResponse)}; it may object to this document`
  return isUnreachable(requestError)
    ? `check the network, ${getBaseUrlSetting(requestError)} and any proxy`
    : undefined
}

/** Replies that are no summary, by `Failure.type`, in words. The same request would get the same reply. */
const permanentReplyTypes: ReadonlyMap<string, string> = new Map([
  ['refusal', 'refused'],
  ['max_tokens', 'cut off'],
  ['model_context_window_exceeded', 'too long'],
  ['empty', 'empty reply'],
  ['schema', 'does not match the schema'],
  ['unexpected_stop', 'incomplete'],
])

/**
 * Returns, in a few words, why the same request would fail again; undefined if it may succeed. Later runs skip such a
 * document until it or the settings change, because most of these replies are billed. A 400 for another reason is not
 * among them: it costs nothing, and the rules of a gateway may change.
 */
export function describePermanentFailure({
  kind,
  type,
  message,
}: Pick<Failure, 'type' | 'message'> & { readonly kind: string | number }): string | undefined {
  if (kind === 'reply') return permanentReplyTypes.get(type)
  return typeof kind === 'number' && isTooLong({ status: kind, type, message }) ? 'too long' : undefined
}
