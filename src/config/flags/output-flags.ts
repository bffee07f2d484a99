import type { Flag } from '../flag.ts'
import { choice, text } from '../flag-parsers.ts'

/** The output folder of a command line that does not name one. */
export const defaultOutputFolder = 'summaries'

/** Flags for the place and format of summaries. */
export const outputFlags = {
  out: {
    isCommon: true,
    group: 'Outputs',
    syntax: '-o, --out <dir>',
    help: `output folder, or - for stdout (default: ${defaultOutputFolder}; - if the only input is stdin)`,
    parse: text,
    path: 'always',
  },
  format: {
    group: 'Outputs',
    syntax: '--format <format>',
    help: 'format of the results on stdout: text or jsonl (default: text)',
    parse: choice(['text', 'jsonl']),
  },
  unordered: {
    group: 'Outputs',
    syntax: '--unordered',
    help: 'with -o -, print results as they finish instead of in input order',
  },
  frontMatter: {
    group: 'Outputs',
    syntax: '--front-matter',
    help: 'start each summary with YAML front matter: document, hash, model, prompt, date, tokens, cost',
  },
  digest: {
    isCommon: true,
    group: 'Outputs',
    syntax: '--digest <file>',
    help: 'also write one overview of all summaries, with links',
    parse: text,
    path: 'always',
  },
  digestPer: {
    group: 'Outputs',
    syntax: '--digest-per <what>',
    help: 'all: one digest; folder: one digest per folder, next to its summaries',
    default: 'all',
    parse: choice(['all', 'folder']),
  },
} as const satisfies Record<string, Flag>
