import type { Flag, FlagValues } from './flag.ts'
import { duration, integer, number, text } from './flag-parsers.ts'

/** The flags of `simulate`. */
export const simulateFlags = {
  port: {
    group: 'Server',
    syntax: '--port <n>',
    help: 'port on the loopback address; 0 for any free port',
    default: 8787,
    parse: integer(0, 65_535),
  },
  rpm: {
    group: 'Rate limits',
    syntax: '--rpm <n>',
    help: 'requests per minute',
    default: 1000,
    parse: number(0.001, 1_000_000_000),
  },
  itpm: {
    group: 'Rate limits',
    syntax: '--itpm <tokens>',
    help: 'input tokens per minute',
    default: 2_000_000,
    parse: number(1, 1_000_000_000_000),
  },
  otpm: {
    group: 'Rate limits',
    syntax: '--otpm <tokens>',
    help: 'output tokens per minute',
    default: 400_000,
    parse: number(1, 1_000_000_000_000),
  },
  batchQueue: {
    group: 'Rate limits',
    syntax: '--batch-queue <n>',
    help: 'requests of Message Batches that may wait for processing',
    default: 200_000,
    parse: integer(1, 1_000_000_000),
  },
  latency: {
    group: 'Behaviour',
    syntax: '--latency <seconds>',
    help: 'median response time',
    default: 0.4,
    parse: number(0, 3600),
  },
  batchDuration: {
    group: 'Behaviour',
    syntax: '--batch-duration <time>',
    help: 'time until a Message Batch ends',
    default: 1.5,
    parse: duration(0, 86_400),
  },
  fault: {
    group: 'Behaviour',
    syntax: '--fault <list>',
    help: 'faults and their rates, e.g. 529=0.05,reset=0.01; a fault is an HTTP error status, reset, reset-in-body, stall, truncate, mid-stream-error, refusal, max_tokens, empty or wrong-citations',
    parse: text,
  },
  seed: {
    group: 'Behaviour',
    syntax: '--seed <n>',
    help: 'seed of faults and latencies; the same seed repeats them',
    default: 1,
    parse: integer(0, 2 ** 31),
  },
} as const satisfies Record<string, Flag>

/** The parsed flags of `simulate`. */
export type SimulateOptions = FlagValues<typeof simulateFlags>
