import { efforts } from '../core/pricing/models.ts'
import { maxPoolSize } from '../core/rate-limit/pool-size.ts'
import { UsageError } from '../errors.ts'
import type { Flag, FlagValues } from './flag.ts'
import {
  choice,
  duration,
  type ExcludePattern,
  encoding,
  extensions,
  formatPrices,
  hosts,
  integer,
  keyValuePairs,
  number,
  patterns,
  prices,
  qualityChecks,
  resolvePatternsIn,
  shard,
  text,
} from './flag-parsers.ts'

/** Document types a directory is walked for: prose, markup, office files, tables, source code. Not configuration and lock files. */
export const defaultExtensions = [
  'md',
  'markdown',
  'mdx',
  'txt',
  'text',
  'rst',
  'adoc',
  'asciidoc',
  'org',
  'tex',
  'textile',
  'wiki',
  'html',
  'htm',
  'xhtml',
  'pdf',
  'docx',
  'odt',
  'epub',
  'pptx',
  'odp',
  'csv',
  'tsv',
  'xlsx',
  'ods',
  'srt',
  'vtt',
  'eml',
  'log',
  'ipynb',
  'c',
  'cc',
  'cpp',
  'cs',
  'css',
  'dart',
  'ex',
  'exs',
  'go',
  'h',
  'hpp',
  'hs',
  'java',
  'jl',
  'js',
  'jsx',
  'kt',
  'lua',
  'mjs',
  'ml',
  'php',
  'pl',
  'proto',
  'ps1',
  'py',
  'r',
  'rb',
  'rs',
  'scala',
  'sh',
  'sql',
  'swift',
  'ts',
  'tsx',
  'vue',
  'zig',
] as const

const progressModes = ['auto', 'bar', 'lines', 'off'] as const

/** The flags of `summarize`, by name, in the order of the help. */
export const summarizeFlags = {
  filesFrom: {
    group: 'Inputs',
    syntax: '--files-from <file>',
    help: 'read paths from a file, one per line; - is stdin; one that does not exist gets an error record',
    parse: text,
    path: 'always',
  },
  null: {
    group: 'Inputs',
    syntax: '-0, --null',
    help: 'paths of --files-from end with NUL, as find -print0 writes them',
  },
  ext: {
    group: 'Inputs',
    syntax: '--ext <list>',
    help: 'extensions to look for in directories, with commas (default: md, txt, html, pdf, docx, and 58 more of text, office files and code)',
    parse: extensions,
  },
  encoding: {
    group: 'Inputs',
    syntax: '--encoding <name>',
    help: 'what text is that is not UTF-8, such as windows-1252 or shift_jis; auto guesses, and -v tells (default: a failure)',
    parse: encoding,
  },
  pdf: {
    group: 'Inputs',
    syntax: '--pdf <how>',
    help: 'auto: as text, or as it is where its pages are pictures; text: never as it is; native: always, dearer',
    default: 'auto',
    parse: choice(['auto', 'text', 'native']),
  },
  exclude: {
    group: 'Inputs',
    syntax: '--exclude <pattern>',
    help: 'skip files and folders that match, however they were named: a path, a glob, or as in .gitignore; repeatable; adds to the configuration’s',
    parse: patterns,
    toConfigValue: (given: readonly ExcludePattern[]) => given.map(({ pattern }) => pattern),
    resolveIn: resolvePatternsIn,
    accumulates: true,
  },
  hidden: { group: 'Inputs', syntax: '--hidden', help: 'take hidden files and directories too' },
  follow: {
    group: 'Inputs',
    syntax: '--follow',
    help: 'follow symbolic links that stay in the folder; each file is taken once',
  },
  ignore: {
    group: 'Inputs',
    syntax: '--no-ignore',
    help: 'do not apply .gitignore, git’s other ignore files and .claude-batchignore; include node_modules and .git',
    default: true,
  },

  shard: {
    group: 'Inputs',
    syntax: '--shard <part/of>',
    help: 'take this part of the documents alone, like 2/5, the same ones every time: for several machines',
    parse: shard,
  },

  out: {
    group: 'Outputs',
    syntax: '-o, --out <dir>',
    help: 'folder for the summaries, or - for stdout (default: summaries; for a document on stdin: -)',
    parse: text,
    path: 'always',
  },
  format: {
    group: 'Outputs',
    syntax: '--format <format>',
    help: 'on stdout: text or jsonl (default: text)',
    parse: choice(['text', 'jsonl']),
  },
  unordered: {
    group: 'Outputs',
    syntax: '--unordered',
    help: 'on stdout: as they finish, instead of in input order',
  },
  frontMatter: {
    group: 'Outputs',
    syntax: '--front-matter',
    help: 'say on top of each summary, as YAML, where it comes from: document, hash, model, prompt, date, tokens, cost',
  },
  digest: {
    group: 'Outputs',
    syntax: '--digest <file>',
    help: 'write one text about all summaries, too, with links to them; only what changed is asked again',
    parse: text,
    path: 'always',
  },
  digestPer: {
    group: 'Outputs',
    syntax: '--digest-per <what>',
    help: 'all: one digest; folder: one per folder, next to its summaries',
    default: 'all',
    parse: choice(['all', 'folder']),
  },
  log: {
    group: 'Outputs',
    syntax: '--log <file>',
    help: 'append one JSON line per request sent',
    parse: text,
    path: 'always',
  },

  report: {
    group: 'Outputs',
    syntax: '--report <file>',
    help: 'write the account of the run, or the estimate of a --dry-run, too: .json, .md or .html by its name',
    parse: text,
    path: 'always',
  },

  prompt: {
    group: 'Prompt and model',
    syntax: '--prompt <name>',
    help: 'prompt and version: summarize, summarize@v1, ./mine.yaml@v2; shares: summarize@v1=90,v2=10',
    default: 'summarize',
    parse: text,
    path: 'where it looks like one',
  },
  var: {
    group: 'Prompt and model',
    syntax: '--var <key=value>',
    help: 'fill a slot of the prompt; may be given again',
    parse: keyValuePairs,
  },
  model: {
    group: 'Prompt and model',
    syntax: '--model <model>',
    help: 'haiku, sonnet, opus or a full id (default: the prompt’s, else haiku: claude-haiku-5-5)',
    parse: text,
  },
  maxTokens: {
    group: 'Prompt and model',
    syntax: '--max-tokens <tokens>',
    help: 'most output tokens per document (default: the prompt’s, else 1024)',
    parse: integer(1, 1_000_000),
  },
  language: {
    group: 'Prompt and model',
    syntax: '--language <language>',
    help: 'write in this language, named in English or by its code, instead of the document’s',
    parse: text,
  },
  words: {
    group: 'Prompt and model',
    syntax: '--words <n>',
    help: 'write about so many words, instead of what the prompt says',
    parse: integer(5, 10_000),
  },
  schema: {
    group: 'Prompt and model',
    syntax: '--schema <file>',
    help: 'a JSON Schema: one JSON object per document that fits it, in .summary.json, instead of text',
    parse: text,
    path: 'always',
  },
  chunkTokens: {
    group: 'Prompt and model',
    syntax: '--chunk-tokens <tokens>',
    help: 'read documents in parts that are longer than this (default: as much as the model reads at its lowest price)',
    parse: integer(1000, 1_000_000),
  },
  effort: {
    group: 'Prompt and model',
    syntax: '--effort <effort>',
    help: 'low, medium, high, xhigh or max (default: the prompt’s, else the model’s lowest)',
    parse: choice(efforts),
  },

  maxCost: {
    group: 'Cost',
    syntax: '--max-cost <usd>',
    help: 'never spend more: the worst case of a request is set aside before it is sent (exit 5)',
    parse: number(0, 1_000_000),
  },
  dryRun: {
    group: 'Cost',
    syntax: '--dry-run',
    help: 'say what would be done and what it would cost, live and as a batch; sends nothing that costs',
  },
  tokenCount: {
    group: 'Cost',
    syntax: '--token-count <how>',
    help: 'for --dry-run, tokens of input: estimate, or exact by asking the service, which is free',
    default: 'estimate' as const,
    parse: choice(['estimate', 'exact']),
  },
  sample: {
    group: 'Cost',
    syntax: '--sample <n>',
    help: 'do so many documents first, of all sizes, say what all would cost, and ask before going on',
    parse: integer(2, 100_000),
  },
  confirmAbove: {
    group: 'Cost',
    syntax: '--confirm-above <usd>',
    help: 'ask first where a run is expected to cost more; without a terminal it then needs --yes or --max-cost',
    default: 5,
    parse: number(0, 1_000_000),
  },
  yes: { group: 'Cost', syntax: '-y, --yes', help: 'go on without asking' },
  prices: {
    group: 'Cost',
    syntax: '--prices <model=in/out>',
    help: 'USD per million tokens of a model that has no known price, or another one for you, like my-model=0.50/2; may be given again',
    parse: prices,
    toConfigValue: formatPrices,
  },

  batch: {
    group: 'Message Batches',
    syntax: '--batch',
    help: 'ask by the service’s own batches: half the price, done within a day, mostly within an hour',
  },
  mode: {
    group: 'Message Batches',
    syntax: '--mode <way>',
    help: 'live, batch (as --batch), or auto: by their number, the estimate and --time-limit, and why is told',
    default: 'live' as const,
    parse: choice(['live', 'batch', 'auto']),
  },
  detach: {
    group: 'Message Batches',
    syntax: '--detach',
    help: 'for --batch: do not wait; the same command, or claude-batch batches collect, fetches the summaries',
  },

  rpm: {
    group: 'Concurrency and rate limits',
    syntax: '--rpm <n>',
    help: 'your rate limit, requests per minute (default: what the service says)',
    parse: number(0.001, 1_000_000),
  },
  itpm: {
    group: 'Concurrency and rate limits',
    syntax: '--itpm <tokens>',
    help: 'your rate limit, input tokens per minute (default: what the service says)',
    parse: number(1, 1_000_000_000),
  },
  otpm: {
    group: 'Concurrency and rate limits',
    syntax: '--otpm <tokens>',
    help: 'your rate limit, output tokens per minute (default: what the service says)',
    parse: number(1, 1_000_000_000),
  },
  latency: {
    group: 'Concurrency and rate limits',
    syntax: '--latency <time>',
    help: 'time a request takes, to start with; the first pool is rpm / 60 × latency, rounded up, and at most 8 (default: 3)',
    parse: duration(0.001, 3600),
  },
  concurrency: {
    group: 'Concurrency and rate limits',
    syntax: '--concurrency <n>',
    help: `most requests in flight at once (default: as many as the limit and the latency need, at most ${maxPoolSize})`,
    parse: integer(1, maxPoolSize),
  },

  retries: {
    group: 'Retries and timeouts',
    syntax: '--retries <n>',
    help: 'sendings beyond the first for errors that a retry can cure',
    default: 3,
    parse: integer(0, 20),
  },
  idleTimeout: {
    group: 'Retries and timeouts',
    syntax: '--idle-timeout <time>',
    help: 'longest silence of the service within a request',
    default: 60,
    parse: duration(0.001, 3600),
  },
  connectTimeout: {
    group: 'Retries and timeouts',
    syntax: '--connect-timeout <time>',
    help: 'longest wait for a connection',
    default: 5,
    parse: duration(0.001, 3600),
  },
  maxWait: {
    group: 'Retries and timeouts',
    syntax: '--max-wait <time>',
    help: 'longest wait on a rate limit before the run ends as try-later (exit 75)',
    default: 600,
    parse: duration(0, 604_800),
  },

  force: {
    group: 'Re-running',
    syntax: '--force',
    help: 'summarize again what has its summary, and replace what was edited by hand or is not in the ledger',
  },
  redo: {
    group: 'Re-running',
    syntax: '--redo <doubts>',
    help: 'summarize again what is doubtful: copy, language, length, with commas, or all',
    parse: qualityChecks,
  },
  lockTimeout: {
    group: 'Re-running',
    syntax: '--lock-timeout <time>',
    help: 'how long to wait for another run to leave the output folder (default: not at all)',
    parse: duration(0, 604_800),
  },

  timeLimit: {
    group: 'Stopping early',
    syntax: '--time-limit <time>',
    help: 'start nothing new after this time, finish what is in flight (exit 5)',
    parse: duration(0.001, 2_592_000),
  },
  maxFailures: {
    group: 'Stopping early',
    syntax: '--max-failures <n>',
    help: 'start nothing new once so many documents have failed (exit 5)',
    parse: integer(1, 1_000_000_000),
  },

  config: {
    group: 'Configuration',
    syntax: '--config <file>',
    help: 'read settings from this file only (default: claude-batch.yaml here or above, then ~/.config/claude-batch/config.yaml)',
    parse: text,
  },
  profile: {
    group: 'Configuration',
    syntax: '--profile <name>',
    help: 'use what the configuration sets under profiles: and this name, too',
    parse: text,
  },
  allowHttp: {
    group: 'Configuration',
    syntax: '--allow-http <host>',
    help: 'send credentials to this host over plain http, where others can read them; repeatable (default: only to this machine and private addresses)',
    parse: hosts,
    requiresTrust: true,
  },

  simulate: {
    group: 'Simulation',
    syntax: '--simulate',
    help: 'run against a simulated service in this process: no key, no cost',
  },

  quiet: {
    group: 'Output on the terminal',
    syntax: '-q, --quiet',
    help: 'nothing on success; failures only',
  },
  verbose: {
    group: 'Output on the terminal',
    syntax: '-v, --verbose',
    help: 'a line per document, retries and pauses',
  },
  progress: {
    group: 'Output on the terminal',
    syntax: '--progress <mode>',
    help: 'auto, bar, lines or off; auto is a bar on a terminal, a line now and then elsewhere',
    default: 'auto' as const,
    parse: choice(progressModes),
  },
} as const satisfies Record<string, Flag>

/** The values of all flags after parsing. */
export type SummarizeOptions = FlagValues<typeof summarizeFlags>

/** What one flag's value alone cannot show to be wrong. */
export function checkFlagCombinations(options: SummarizeOptions): void {
  if (options.quiet && options.verbose) throw new UsageError('--quiet and --verbose contradict each other')
  if (options.tokenCount === 'exact' && !options.dryRun)
    throw new UsageError('--token-count says how --dry-run counts; give --dry-run too')
  if (options.dryRun && options.sample !== undefined)
    throw new UsageError('--dry-run sends nothing and --sample sends some; give one of them')
  if (options.dryRun && options.report !== undefined && /\.(md|html)$/i.test(options.report))
    throw new UsageError(`--report ${options.report}: a --dry-run is saved as .json`)
  if (options.batch && options.mode === 'auto')
    throw new UsageError('--batch and --mode auto contradict each other; give one of them')
  if (options.detach && options.digest !== undefined)
    throw new UsageError(
      '--digest needs the summaries, and --detach does not wait for them; leave --digest out, and give it again after collecting the batches',
    )
  if (options.detach && !options.batch && options.mode === 'live')
    throw new UsageError('--detach leaves a batch to itself; give --batch too')
  if ((options.batch || options.mode !== 'live') && options.sample !== undefined)
    throw new UsageError('--sample asks live; give it alone first, and then --batch for the rest')
  if (options.detach && options.simulate)
    throw new UsageError(
      'the simulated service ends with this run, and its batches too; leave --detach out, or run claude-batch simulate',
    )
  if (options.null && options.filesFrom === undefined)
    throw new UsageError('-0 says how --files-from is written; give --files-from too')
}
