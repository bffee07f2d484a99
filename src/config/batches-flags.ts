import type { Flag, FlagValues } from './flag.ts'
import { text } from './flag-parsers.ts'
import { configurationFlags } from './flags/configuration-flags.ts'
import { costFlags } from './flags/cost-flags.ts'
import { recordFlags } from './flags/record-flags.ts'
import { retryFlags } from './flags/retry-flags.ts'
import { verbosityFlags } from './flags/verbosity-flags.ts'

const connectionFlags = {
  idleTimeout: retryFlags.idleTimeout,
  ...configurationFlags,
} as const satisfies Record<string, Flag>

/** The flags of `batches status` and `batches cancel`. */
export const batchesFlags = {
  id: {
    group: 'Batches',
    syntax: '--id <batch>',
    help: 'only this batch, by its id in batches list (default: all batches of the folder)',
    parse: text,
  },
  ...connectionFlags,
} as const satisfies Record<string, Flag>

/** The flags of `batches collect`. */
export const collectFlags = {
  wait: {
    group: 'Batches',
    syntax: '--wait',
    help: 'wait for batches that have not ended, instead of collecting only what is ready',
  },
  log: recordFlags.log,
  report: {
    ...recordFlags.report,
    help: 'also write the report to this file (.json, .md or .html), or to stdout as JSON (-)',
  },
  prices: costFlags.prices,
  ...connectionFlags,
  ...verbosityFlags,
} as const satisfies Record<string, Flag>

/** The parsed flags of `batches status` and `batches cancel`. */
export type BatchesOptions = FlagValues<typeof batchesFlags>

/** The parsed flags of `batches collect`. */
export type CollectOptions = FlagValues<typeof collectFlags>
