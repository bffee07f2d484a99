import type { Flag, FlagValues } from './flag.ts'
import { duration, integer, text, texts } from './flag-parsers.ts'
import { configurationFlags } from './flags/configuration-flags.ts'
import { costFlags } from './flags/cost-flags.ts'
import { modelFlags } from './flags/model-flags.ts'
import { promptFlags } from './flags/prompt-flags.ts'
import { rateLimitFlags } from './flags/rate-limit-flags.ts'
import { recordFlags } from './flags/record-flags.ts'
import { retryFlags } from './flags/retry-flags.ts'
import { simulationFlags } from './flags/simulation-flags.ts'
import { verbosityFlags } from './flags/verbosity-flags.ts'

/** The flags of `serve`. */
export const serveFlags = {
  port: {
    isCommon: true,
    group: 'Server',
    syntax: '--port <n>',
    help: 'port to listen on; 0 for any free port',
    default: 8000,
    parse: integer(0, 65_535),
  },
  host: {
    isCommon: true,
    group: 'Server',
    syntax: '--host <address>',
    help: 'address to listen on; any other than the loopback address requires --token',
    default: '127.0.0.1',
    parse: text,
  },
  token: {
    isCommon: true,
    group: 'Server',
    syntax: '--token <source>',
    help: 'require Authorization: Bearer <token>; read the token from this file or from env:NAME',
    parse: text,
    path: 'always',
  },
  allowHost: {
    group: 'Server',
    syntax: '--allow-host <name>',
    help: 'additional Host name to accept besides localhost; repeatable',
    parse: texts,
  },
  allowOrigin: {
    group: 'Server',
    syntax: '--allow-origin <origin>',
    help: 'origin whose pages may call the server, e.g. https://example.org; repeatable',
    parse: texts,
  },
  maxQueue: {
    group: 'Server',
    syntax: '--max-queue <n>',
    help: 'maximum number of waiting requests; the server answers 503 to more',
    default: 100,
    parse: integer(0, 1000),
  },
  prompt: { ...promptFlags.prompt, help: 'default prompt for requests that do not name one' },
  ...modelFlags,
  maxCost: {
    ...costFlags.maxCost,
    help: 'hard spending cap while the server runs; answer 503 once it is reached',
  },
  prices: costFlags.prices,
  ...rateLimitFlags,
  ...retryFlags,
  maxWait: {
    ...retryFlags.maxWait,
    help: 'answer 503 when a request would wait longer than this for a rate limit or an outage',
    default: 30,
    parse: duration(0, 86_400),
  },
  log: recordFlags.log,
  ...configurationFlags,
  ...simulationFlags,
  quiet: verbosityFlags.quiet,
} as const satisfies Record<string, Flag>

/** The parsed flags of `serve`. */
export type ServeOptions = FlagValues<typeof serveFlags>
