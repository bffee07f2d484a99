import type { Flag, FlagValues } from './flag.ts'
import { duration, integer, number, text } from './flag-parsers.ts'

/** The flags of `simulate`. */
export const simulateFlags = {
  port: {
    group: 'Server',
    syntax: '--port <n>',
    help: 'port on the loopback address; 0 is any free one',
    default: 8787,
    parse: integer(0, 65_535),
  },
  rpm: {
    group: 'Limits',
    syntax: '--rpm <n>',
    help: 'requests per minute',
    default: 1000,
    parse: number(0.001, 1_000_000_000),
  },
  itpm: {
    group: 'Limits',
    syntax: '--itpm <tokens>',
    help: 'input tokens per minute',
    default: 2_000_000,
    parse: number(1, 1_000_000_000_000),
  },
  otpm: {
    group: 'Limits',
    syntax: '--otpm <tokens>',
    help: 'output tokens per minute',
    default: 400_000,
    parse: number(1, 1_000_000_000_000),
  },
  latency: {
    group: 'Behaviour',
    syntax: '--latency <seconds>',
    help: 'median time of an answer',
    default: 0.4,
    parse: number(0, 3600),
  },
  batchDuration: {
    group: 'Behaviour',
    syntax: '--batch-duration <time>',
    help: 'how long a Message Batch takes',
    default: 1.5,
    parse: duration(0, 86_400),
  },
  fault: {
    group: 'Behaviour',
    syntax: '--fault <list>',
    help: 'faults by rate, like 529=0.05,reset=0.01',
    parse: text,
  },
  seed: {
    group: 'Behaviour',
    syntax: '--seed <n>',
    help: 'the same seed gives the same faults and latencies',
    default: 1,
    parse: integer(0, 2 ** 31),
  },
} as const satisfies Record<string, Flag>

/** The values of the flags of `simulate` after parsing. */
export type SimulateOptions = FlagValues<typeof simulateFlags>
