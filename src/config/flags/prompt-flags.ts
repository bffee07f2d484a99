import type { Flag } from '../flag.ts'
import { integer, keyValuePairs, text } from '../flag-parsers.ts'

/** Flags that choose the prompt and its parameters. */
export const promptFlags = {
  prompt: {
    isCommon: true,
    group: 'Prompt and model',
    syntax: '--prompt <name>',
    help: 'prompt, version and weights: summarize, summarize@v1, ./mine.yaml@v2, or an A/B test: summarize@v1=90,v2=10',
    default: 'summarize',
    completes: 'prompt',
    parse: text,
    path: 'where it looks like one',
  },
  instructions: {
    isCommon: true,
    group: 'Prompt and model',
    syntax: '--instructions <text>',
    help: 'what to do with each document, in place of a prompt file: a text, or @ and a file, e.g. @brief.txt',
    parse: text,
  },
  var: {
    group: 'Prompt and model',
    syntax: '--var <key=value>',
    help: 'value of a placeholder {key} in the prompt, e.g. audience=engineers; repeatable',
    parse: keyValuePairs,
  },
  language: {
    isCommon: true,
    group: 'Prompt and model',
    syntax: '--language <language>',
    help: 'language of the summaries, e.g. German or de (default: the language of the document)',
    parse: text,
  },
  words: {
    isCommon: true,
    group: 'Prompt and model',
    syntax: '--words <n>',
    help: 'target length in words; overrides the prompt',
    parse: integer(5, 10_000),
  },
  schema: {
    group: 'Prompt and model',
    syntax: '--schema <file>',
    help: 'JSON Schema file: write one matching JSON object per document (.summary.json) instead of text',
    parse: text,
    path: 'always',
  },
  citations: {
    group: 'Prompt and model',
    syntax: '--citations',
    help: 'ask for the passages of the document that support the summary, and check that they are there',
  },
  footnotes: {
    group: 'Prompt and model',
    syntax: '--no-footnotes',
    help: 'with --citations, write summaries without footnotes; JSONL and the ledger have the passages',
    default: true,
  },
  chunkTokens: {
    group: 'Prompt and model',
    syntax: '--chunk-tokens <tokens>',
    help: 'split documents longer than this into chunks (default: the longest input that the model reads at its lowest price per token)',
    parse: integer(1000, 1_000_000),
  },
} as const satisfies Record<string, Flag>
