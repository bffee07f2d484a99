import type { Flag, FlagValues } from './flag.ts'
import { text } from './flag-parsers.ts'
import { summarizeFlags } from './summarize-flags.ts'

const {
  log,
  report,
  prices,
  idleTimeout,
  connectTimeout,
  config,
  profile,
  allowHttp,
  quiet,
  verbose,
  progress,
} = summarizeFlags

const id = {
  group: 'Which',
  syntax: '--id <batch>',
  help: 'this batch alone, by the name that list shows (default: all of the folder)',
  parse: text,
} as const satisfies Flag

const connection = {
  idleTimeout,
  connectTimeout,
  config,
  profile,
  allowHttp,
} as const satisfies Record<string, Flag>

/** The flags of `batches status` and `batches cancel`. */
export const batchesFlags = { id, ...connection } as const satisfies Record<string, Flag>

/** The flags of `batches collect`. */
export const collectFlags = {
  wait: {
    group: 'Which',
    syntax: '--wait',
    help: 'wait for those that are still at work, instead of collecting what is ready',
  },
  log,
  report,
  prices,
  ...connection,
  quiet,
  verbose,
  progress,
} as const satisfies Record<string, Flag>

export type BatchesOptions = FlagValues<typeof batchesFlags>
export type CollectOptions = FlagValues<typeof collectFlags>
