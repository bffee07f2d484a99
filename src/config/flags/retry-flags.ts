import type { Flag } from '../flag.ts'
import { duration, integer } from '../flag-parsers.ts'

/** Flags for retries and timeouts. */
export const retryFlags = {
  retries: {
    group: 'Retries and timeouts',
    syntax: '--retries <n>',
    help: 'retries per request after transient errors',
    default: 3,
    parse: integer(0, 20),
  },
  idleTimeout: {
    group: 'Retries and timeouts',
    syntax: '--idle-timeout <time>',
    help: 'give up on a request after this long without a byte (60, 90s, 5m)',
    default: 60,
    parse: duration(0.001, 3600),
  },
  maxWait: {
    group: 'Retries and timeouts',
    syntax: '--max-wait <time>',
    help: 'stop the run when a rate limit or an outage lasts longer than this (exit 75)',
    default: 600,
    parse: duration(0, 604_800),
  },
} as const satisfies Record<string, Flag>

/** Connect timeout in milliseconds, unless the idle timeout is shorter. */
export const connectTimeoutMs = 5000
