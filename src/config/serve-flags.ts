import type { Flag, FlagValues } from './flag.ts'
import { duration, integer, text, texts } from './flag-parsers.ts'
import { summarizeFlags } from './summarize-flags.ts'

const { prompt, model, maxTokens, effort, rpm, itpm, otpm, latency, concurrency } = summarizeFlags
const {
  maxCost,
  prices,
  retries,
  idleTimeout,
  connectTimeout,
  log,
  config,
  profile,
  allowHttp,
  simulate,
  quiet,
} = summarizeFlags

/** The flags of `serve`. */
export const serveFlags = {
  port: {
    group: 'Server',
    syntax: '--port <n>',
    help: 'port to listen on; 0 is any free one',
    default: 8000,
    parse: integer(0, 65_535),
  },
  host: {
    group: 'Server',
    syntax: '--host <address>',
    help: 'address to listen on; any but the loopback address needs --token',
    default: '127.0.0.1',
    parse: text,
  },
  token: {
    group: 'Server',
    syntax: '--token <source>',
    help: 'callers must send Authorization: Bearer <token>; the source is a file that holds it, or env:NAME',
    parse: text,
    path: 'always',
  },
  allowHost: {
    group: 'Server',
    syntax: '--allow-host <name>',
    help: 'a name callers may know this server by, beside localhost; may be given again',
    parse: texts,
  },
  allowOrigin: {
    group: 'Server',
    syntax: '--allow-origin <origin>',
    help: 'pages of this origin may use it, like https://example.org; may be given again',
    parse: texts,
  },
  maxQueue: {
    group: 'Server',
    syntax: '--max-queue <n>',
    help: 'how many may wait for a slot; more are answered 503',
    default: 100,
    parse: integer(0, 1000),
  },
  prompt: {
    ...prompt,
    help: 'prompt for texts that name none: a name or a file, with @version or the default one',
  },
  model,
  maxTokens,
  effort,
  maxCost: { ...maxCost, help: 'spend no more as long as it runs, and answer 503 then' },
  prices,
  rpm,
  itpm,
  otpm,
  latency,
  concurrency,
  retries,
  idleTimeout,
  connectTimeout,
  maxWait: {
    group: 'Retries and timeouts',
    syntax: '--max-wait <time>',
    help: 'answer 503 rather than wait longer than this for a rate limit or an outage',
    default: 30,
    parse: duration(0, 86_400),
  },
  log,
  config,
  profile,
  allowHttp,
  simulate,
  quiet,
} as const satisfies Record<string, Flag>

/** The values of the flags of `serve` after parsing. */
export type ServeOptions = FlagValues<typeof serveFlags>
