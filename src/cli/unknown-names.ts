/**
 * What to use instead of options that other tools have, by the name without dashes. An option that the command
 * has is never looked up.
 */
const optionHints: Readonly<Record<string, string>> = {
  watch:
    'run the same command again, by hand or from cron: it summarizes only what is new or changed (docs/cron.md)',
  json: 'for one JSON line per result, use -o - --format jsonl; for the report, --report report.json',
  jsonl: 'use -o - --format jsonl',
  output: 'the option is -o or --out',
  'output-dir': 'the option is -o or --out',
  input: 'inputs are arguments: claude-batch summarize ./docs',
  recursive: 'folders are always read with their subfolders',
  r: 'folders are always read with their subfolders',
  workers: 'the pool adapts by itself; --concurrency sets its maximum',
  parallel: 'the pool adapts by itself; --concurrency sets its maximum',
  jobs: 'the pool adapts by itself; --concurrency sets its maximum',
  j: 'the pool adapts by itself; --concurrency sets its maximum',
  threads: 'the pool adapts by itself; --concurrency sets its maximum',
  resume: 'run the same command again: it continues where the last run ended',
  continue: 'run the same command again: it continues where the last run ended',
  overwrite: 'to make all summaries again, use --redo all; to overwrite edited ones, add --force',
  'api-key': 'set ANTHROPIC_API_KEY, or use --key-command; keys on a command line are visible to other users',
  key: 'set ANTHROPIC_API_KEY, or use --key-command; keys on a command line are visible to other users',
  token:
    'set ANTHROPIC_AUTH_TOKEN, or use --key-command; tokens on a command line are visible to other users',
  'base-url': 'set ANTHROPIC_BASE_URL',
  url: 'set ANTHROPIC_BASE_URL',
  temperature: 'current models do not accept it; --effort changes how much they think',
  system: 'the system prompt is part of a prompt file (docs/prompts.md)',
  timeout: 'use --idle-timeout for one request, --time-limit for the whole run',
  length: 'use --words',
  'max-length': 'use --words',
  lang: 'use --language',
  glob: 'patterns are arguments, in quotes: claude-batch summarize "docs/**/*.md"',
  include: 'patterns are arguments, in quotes: claude-batch summarize "docs/**/*.md"',
  ignore: 'use --exclude',
  retry: 'use --retries for the retries of a request, --redo failed for failed documents',
  region: 'set AWS_REGION or CLOUD_ML_REGION (docs/providers.md)',
  bedrock: 'use --provider bedrock',
  vertex: 'use --provider vertex',
  foundry: 'use --provider foundry',
}

/** What to use instead of commands that other tools have. */
const commandHints: Readonly<Record<string, string>> = {
  init: 'no setup is needed: try claude-batch summarize ./docs --simulate; for settings, see docs/configuration.md',
  setup:
    'no setup is needed: try claude-batch summarize ./docs --simulate; for settings, see docs/configuration.md',
  login: 'set ANTHROPIC_API_KEY, and check it with claude-batch doctor',
  auth: 'set ANTHROPIC_API_KEY, and check it with claude-batch doctor',
  docs: 'to summarize a folder docs, use claude-batch summarize docs',
  run: 'use claude-batch summarize ./docs',
  start: 'use claude-batch summarize ./docs',
  watch: 'run claude-batch summarize again, by hand or from cron: it summarizes only what is new or changed',
  resume: 'run the same claude-batch summarize again: it continues where the last run ended',
  estimate: 'use claude-batch summarize ./docs --dry-run',
  cost: 'use claude-batch summarize ./docs --dry-run, or claude-batch report for what was spent',
  status: 'use claude-batch report for past runs, claude-batch batches status for batches',
  list: 'use claude-batch report for summaries, claude-batch batches list or claude-batch prompts list',
  version: 'use claude-batch --version',
  models: 'docs/models.md lists them',
  check: 'use claude-batch doctor, or claude-batch prompts check for a prompt',
  test: 'use claude-batch doctor, or add --simulate to try without a key',
}

/**
 * Adds what to do instead to commander's message about an unknown option or command. A hint replaces commander's
 * guess, which is only a similar name.
 * @param message `unknown option '--watch' (Did you mean --batch?)`
 */
export function addNameHint(message: string): string {
  const [, kind, dashes, name = '', suggestion = ''] =
    /^unknown (option|command) '(-{0,2})([^']*)'(.*)$/.exec(message) ?? []
  if (kind === undefined) return message
  const hints = kind === 'option' ? optionHints : commandHints
  const hint = Object.hasOwn(hints, name.toLowerCase()) ? hints[name.toLowerCase()] : undefined
  if (hint !== undefined) return `unknown ${kind} '${dashes}${name}'; ${hint}`
  if (kind === 'option' || suggestion !== '' || !/^[\w./*-]+$/.test(name)) return message
  return `${message}; to summarize a folder ${name}, use claude-batch summarize ${name}`
}
