type Example = readonly [command: string, explanation: string]

const summarize: readonly Example[] = [
  ['claude-batch summarize ./docs', 'one summary per file, in summaries/docs/'],
  ['claude-batch summarize ./docs --dry-run', 'print what that would cost, live and as a batch'],
  ['cat notes.md | claude-batch summarize -', 'summarize one document to stdout'],
  ["claude-batch summarize 'reports/**/*.md' --simulate", 'try it: no key, no cost'],
]

/** The examples that the help of each command begins with. */
const examples: Readonly<Record<string, readonly Example[]>> = {
  'claude-batch': summarize,
  summarize,
  compare: [
    ['claude-batch compare ./docs --prompts summarize@v1,summarize@v2', 'compare two versions of a prompt'],
    ['claude-batch compare ./docs --models haiku,sonnet --limit 50', 'compare two models on 50 documents'],
    [
      'claude-batch compare ./docs --models haiku,sonnet --judge opus',
      'let a third model judge the summaries',
    ],
  ],
  report: [
    ['claude-batch report', 'show the runs of summaries/, their cost, and stale summaries'],
    ['claude-batch report --run last --format html > last.html', 'save the last run as an HTML page'],
    ['claude-batch report notes --prune', 'delete the summaries of deleted documents'],
  ],
  batches: [
    ['claude-batch batches status', 'show how far each batch is'],
    ['claude-batch batches collect', 'fetch the summaries that are ready'],
  ],
  prompts: [
    ['claude-batch prompts list', 'list the prompts and the versions in use'],
    ['claude-batch prompts pin summarize@v1', 'roll back, starting with the next run'],
  ],
  serve: [
    ['claude-batch serve --simulate', 'try it: http://localhost:8000/, no key, no cost'],
    ['claude-batch serve --host 0.0.0.0 --token env:SERVE_TOKEN', 'serve a network, with a token'],
  ],
  simulate: [
    ['claude-batch simulate --rpm 60 --fault 529=0.05', 'simulate a slow API that is sometimes overloaded'],
  ],
  config: [['claude-batch config --profile night', 'show the settings of a run with this profile']],
  unlock: [
    ['claude-batch unlock', 'show who holds summaries/, and ask'],
    ['claude-batch unlock notes --yes', 'remove the lock without a terminal'],
  ],
  completion: [['eval "$(claude-batch completion bash)"', 'in ~/.bashrc']],
}

/** Returns the examples of a command as its help shows them; '' if it has none. */
export function formatExamples(command: string): string {
  const commandExamples = examples[command] ?? []
  const width = Math.max(...commandExamples.map(([text]) => text.length))
  const lines = commandExamples.map(([text, explanation]) => `  ${text.padEnd(width)}   ${explanation}\n`)
  return lines.length === 0 ? '' : `Examples:\n${lines.join('')}`
}

/** What the program prints when it is called without arguments. */
export const firstSteps = `What to type next:
  claude-batch summarize ./docs --simulate   try it: no key, no cost, summaries in summaries/
  claude-batch summarize ./docs              use the API: set ANTHROPIC_API_KEY first
  claude-batch --help                        list all commands
`
