import { truncate } from '../text/truncate.ts'
import type { Failure } from './failure.ts'

/**
 * Describes a failure in words, for messages: `cannot connect to 127.0.0.1:1 (ECONNREFUSED)`. `formatFailure`
 * returns the form with codes, for records and JSON. The text may be untrusted.
 */
export function describeFailure({ kind, type, message }: DescribedFailure): string {
  const text = truncate(message.replace(/\s+/g, ' ').trim(), 300) || type.replaceAll('_', ' ')
  switch (kind) {
    case 'connection':
      return describeConnectionError(text)
    case 'tls':
      return `TLS error: ${text}`
    case 'timeout':
      return `timeout: ${text}`
    case 'stream':
      return `${type}: ${text}`
    default:
      return typeof kind === 'number' ? `${kind} ${type}: ${text}` : text
  }
}

/** A failure of this run, or one from the ledger. */
interface DescribedFailure extends Pick<Failure, 'type' | 'message'> {
  readonly kind: number | string
}

/** Rewrites the messages of Node's system errors; others get a prefix. */
function describeConnectionError(message: string): string {
  const described = message
    .replace(/^connect (E[A-Z_]+) ([^\s;]+)/, 'cannot connect to $2 ($1)')
    .replace(/^getaddrinfo (E[A-Z_]+) ([^\s;]+)/, 'cannot resolve the host name $2 ($1)')
  return described === message ? `connection error: ${message}` : described
}
