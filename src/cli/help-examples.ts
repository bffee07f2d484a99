type Example = readonly [command: string, what: string]

const summarize: readonly Example[] = [
  ['claude-batch summarize ./docs', 'summaries/docs/….summary.md, one per file'],
  ['claude-batch summarize ./docs --dry-run', 'what that would cost, live and as a batch'],
  ['cat notes.md | claude-batch summarize -', 'one document in, its summary out'],
  ["claude-batch summarize 'reports/**/*.md' --simulate", 'try it: no key, no cost'],
]

/** What to type, by command; the first thing its help shows. */
const examples: Readonly<Record<string, readonly Example[]>> = {
  'claude-batch': summarize,
  summarize,
  compare: [
    ['claude-batch compare ./docs --prompts summarize@v1,summarize@v2', 'two versions of a prompt'],
    ['claude-batch compare ./docs --models haiku,sonnet --limit 50', 'two models, on 50 documents'],
    ['claude-batch compare ./docs --models haiku,sonnet --judge opus', 'and which texts are better'],
  ],
  report: [
    ['claude-batch report', 'the runs of summaries/, what they cost, what is stale'],
    ['claude-batch report --run last --format html > last.html', 'the last run, as a page'],
    ['claude-batch report notes --prune', 'take away the summaries of documents that are gone'],
  ],
  batches: [
    ['claude-batch batches status', 'how far they are'],
    ['claude-batch batches collect', 'fetch what is ready'],
  ],
  prompts: [
    ['claude-batch prompts list', 'which there are, and which version is used'],
    ['claude-batch prompts pin summarize@v1', 'roll back, from the next run on'],
  ],
  serve: [
    ['claude-batch serve --simulate', 'try it: http://localhost:8000/, no key, no cost'],
    ['claude-batch serve --host 0.0.0.0 --token env:SERVE_TOKEN', 'for a network, with a token'],
  ],
  simulate: [
    ['claude-batch simulate --rpm 60 --fault 529=0.05', 'a service that is slow and sometimes overloaded'],
  ],
  config: [['claude-batch config --profile night', 'the settings a run with that profile would have']],
  unlock: [
    ['claude-batch unlock', 'who holds summaries/, and whether to remove its lock'],
    ['claude-batch unlock notes --yes', 'without a terminal'],
  ],
  completion: [['eval "$(claude-batch completion bash)"', 'in ~/.bashrc']],
}

/** The examples of a command, as its help begins with them; '' where it has none. */
export function formatExamples(command: string): string {
  const commandExamples = examples[command] ?? []
  const width = Math.max(...commandExamples.map(([text]) => text.length))
  const lines = commandExamples.map(([text, explanation]) => `  ${text.padEnd(width)}   ${explanation}\n`)
  return lines.length === 0 ? '' : `Examples:\n${lines.join('')}`
}

/** For somebody who typed the name and nothing else. */
export const firstSteps = `What to type next:
  claude-batch summarize ./docs --simulate   try it: no key, no cost, summaries in summaries/
  claude-batch summarize ./docs              the same for real, with ANTHROPIC_API_KEY set
  claude-batch --help                        all commands, with examples
`
