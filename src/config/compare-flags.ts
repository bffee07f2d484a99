import type { Flag, FlagValues } from './flag.ts'
import { integer, text } from './flag-parsers.ts'
import { configurationFlags } from './flags/configuration-flags.ts'
import { costFlags } from './flags/cost-flags.ts'
import { inputFlags } from './flags/input-flags.ts'
import { modelFlags } from './flags/model-flags.ts'
import { outputFlags } from './flags/output-flags.ts'
import { promptFlags } from './flags/prompt-flags.ts'
import { rateLimitFlags } from './flags/rate-limit-flags.ts'
import { recordFlags } from './flags/record-flags.ts'
import { retryFlags } from './flags/retry-flags.ts'
import { simulationFlags } from './flags/simulation-flags.ts'
import { verbosityFlags } from './flags/verbosity-flags.ts'

/** The flags of `compare`. */
export const compareFlags = {
  prompts: {
    isCommon: true,
    group: 'Comparison',
    syntax: '--prompts <list>',
    help: 'comma-separated prompts and versions, e.g. summarize@v1,summarize@v2',
    default: 'summarize',
    completes: 'prompt',
    isList: true,
    parse: text,
  },
  models: {
    isCommon: true,
    group: 'Comparison',
    syntax: '--models <list>',
    help: 'comma-separated models, e.g. haiku,sonnet (default: the model of each prompt, otherwise haiku)',
    completes: 'model',
    isList: true,
    parse: text,
  },
  judge: {
    isCommon: true,
    group: 'Comparison',
    syntax: '--judge <model>',
    help: 'let this model judge each variant against the first one, twice with the order swapped',
    completes: 'model',
    parse: text,
  },
  ...inputFlags,
  limit: {
    isCommon: true,
    group: 'Inputs',
    syntax: '--limit <n>',
    help: 'number of documents to compare, the same ones in every run; 0 for all',
    default: 20,
    parse: integer(0, 1_000_000),
  },
  out: { ...outputFlags.out, help: 'folder for the summaries and the comparison', default: 'comparison' },
  log: recordFlags.log,
  var: promptFlags.var,
  citations: promptFlags.citations,
  chunkTokens: promptFlags.chunkTokens,
  maxTokens: modelFlags.maxTokens,
  effort: modelFlags.effort,
  ...costFlags,
  ...rateLimitFlags,
  ...retryFlags,
  ...configurationFlags,
  ...simulationFlags,
  ...verbosityFlags,
} as const satisfies Record<string, Flag>

/** The parsed flags of `compare`. */
export type CompareOptions = FlagValues<typeof compareFlags>
