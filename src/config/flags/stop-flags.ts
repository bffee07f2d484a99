import type { Flag } from '../flag.ts'
import { duration, integer } from '../flag-parsers.ts'

/** Flags that stop a run before all documents are done. */
export const stopFlags = {
  timeLimit: {
    group: 'Stopping early',
    syntax: '--time-limit <time>',
    help: 'start no new requests after this time; finish those in flight (exit 5)',
    parse: duration(0.001, 2_592_000),
  },
  maxFailures: {
    group: 'Stopping early',
    syntax: '--max-failures <n>',
    help: 'start no new requests after N failed documents (exit 5)',
    parse: integer(1, 1_000_000_000),
  },
} as const satisfies Record<string, Flag>
