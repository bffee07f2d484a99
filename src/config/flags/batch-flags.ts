import type { Flag } from '../flag.ts'
import { choice } from '../flag-parsers.ts'

/** Flags that choose between single requests and Message Batches. */
export const batchFlags = {
  mode: {
    group: 'Message Batches',
    syntax: '--mode <mode>',
    help: 'live, batch (half the price, usually within an hour, at most a day), or auto (chooses by number of documents, cost and --time-limit, and prints why)',
    default: 'live' as const,
    parse: choice(['live', 'batch', 'auto']),
  },
  batch: {
    isCommon: true,
    group: 'Message Batches',
    syntax: '--batch',
    help: 'use Message Batches: half the price, usually within an hour, at most a day; short for --mode batch',
  },
  detach: {
    group: 'Message Batches',
    syntax: '--detach',
    help: 'with --batch, exit without waiting; to fetch the summaries later, run the same command again, or claude-batch batches collect',
  },
} as const satisfies Record<string, Flag>
