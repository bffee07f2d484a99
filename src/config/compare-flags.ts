import type { Flag, FlagValues } from './flag.ts'
import { integer, text } from './flag-parsers.ts'
import { summarizeFlags } from './summarize-flags.ts'

const { filesFrom, null: nul, ext, encoding, pdf, exclude, hidden, follow, ignore } = summarizeFlags
const {
  out,
  log,
  var: vars,
  maxTokens,
  chunkTokens,
  effort,
  rpm,
  itpm,
  otpm,
  latency,
  concurrency,
} = summarizeFlags
const { maxCost, confirmAbove, yes, prices, retries, idleTimeout, connectTimeout, maxWait } = summarizeFlags
const { config, profile, allowHttp, simulate, quiet, verbose, progress } = summarizeFlags

/** The flags of `compare`. */
export const compareFlags = {
  prompts: {
    group: 'What is compared',
    syntax: '--prompts <list>',
    help: 'prompts and versions, with commas: summarize@v1,summarize@v2',
    default: 'summarize',
    parse: text,
  },
  models: {
    group: 'What is compared',
    syntax: '--models <list>',
    help: 'models, with commas: haiku,sonnet (default: each prompt’s, else haiku)',
    parse: text,
  },
  judge: {
    group: 'What is compared',
    syntax: '--judge <model>',
    help: 'have this model say which text is better, of each document and arm beside the first arm, in both orders',
    parse: text,
  },
  sample: {
    group: 'What is compared',
    syntax: '--sample <n>',
    help: 'so many of the documents, always the same ones; all of them with --sample 0',
    default: 20,
    parse: integer(0, 1_000_000),
  },
  filesFrom,
  null: nul,
  ext,
  encoding,
  pdf,
  exclude,
  hidden,
  follow,
  ignore,
  out: { ...out, help: 'folder for the texts and the comparison', default: 'comparison' },
  log,
  var: vars,
  maxTokens,
  chunkTokens,
  effort,
  maxCost,
  confirmAbove,
  yes,
  prices,
  rpm,
  itpm,
  otpm,
  latency,
  concurrency,
  retries,
  idleTimeout,
  connectTimeout,
  maxWait,
  config,
  profile,
  allowHttp,
  simulate,
  quiet,
  verbose,
  progress,
} as const satisfies Record<string, Flag>

/** The values of the flags of `compare` after parsing. */
export type CompareOptions = FlagValues<typeof compareFlags>
