import { maxPoolSize } from '../../core/rate-limit/pool-size.ts'
import type { Flag } from '../flag.ts'
import { integer, number } from '../flag-parsers.ts'

/** Flags that limit the rate and the concurrency of requests. */
export const rateLimitFlags = {
  rpm: {
    isCommon: true,
    group: 'Concurrency and rate limits',
    syntax: '--rpm <n>',
    help: 'requests per minute (default: learned from the API’s response headers)',
    parse: number(0.001, 1_000_000),
  },
  itpm: {
    group: 'Concurrency and rate limits',
    syntax: '--itpm <tokens>',
    help: 'input tokens per minute (default: learned from the API’s response headers)',
    parse: number(1, 1_000_000_000),
  },
  otpm: {
    group: 'Concurrency and rate limits',
    syntax: '--otpm <tokens>',
    help: 'output tokens per minute (default: learned from the API’s response headers)',
    parse: number(1, 1_000_000_000),
  },
  concurrency: {
    group: 'Concurrency and rate limits',
    syntax: '--concurrency <n>',
    help: `maximum requests in flight (default: adapts to the rate limits and the latency, at most ${maxPoolSize})`,
    parse: integer(1, maxPoolSize),
  },
} as const satisfies Record<string, Flag>
