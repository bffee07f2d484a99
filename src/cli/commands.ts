import { type CompareOptions, compareFlags } from '../config/compare-flags.ts'
import { type DoctorOptions, doctorFlags } from '../config/doctor-flags.ts'
import { type ExportOptions, exportFlags } from '../config/export-flags.ts'
import { type MergeOptions, mergeFlags } from '../config/merge-flags.ts'
import { type ReportOptions, reportFlags } from '../config/report-flags.ts'
import { type ServeOptions, serveFlags } from '../config/serve-flags.ts'
import { type SimulateOptions, simulateFlags } from '../config/simulate-flags.ts'
import { type SummarizeOptions, summarizeFlags } from '../config/summarize-flags.ts'
import { type UnlockOptions, unlockFlags } from '../config/unlock-flags.ts'
import { batchesCommands } from './batches-commands.ts'
import { checkOpenFiles } from './check-open-files.ts'
import type { CommandSpec, Example } from './command-spec.ts'
import { outputFolderArgument } from './output-folder-argument.ts'
import { promptsCommands } from './prompts-commands.ts'

/** Examples at the top of the help of `summarize` and of the program. */
export const summarizeExamples: readonly Example[] = [
  ['claude-batch summarize ./docs', 'one summary per file, in summaries/docs/'],
  ['claude-batch summarize ./docs --dry-run', 'print its cost, live and as a batch'],
  ['cat notes.md | claude-batch summarize -', 'summarize one document to stdout'],
  ["claude-batch summarize 'reports/**/*.md' --simulate", 'try it: no key, no cost'],
]

/**
 * All commands, in the order of the help. Each command imports its code when it runs, so that `--help` loads
 * no heavy package.
 */
export const commands: readonly CommandSpec[] = [
  {
    name: 'summarize',
    description: 'summarize files, directories and glob patterns; - reads one document from stdin',
    arguments: [{ syntax: '[inputs...]', help: 'files, directories, quoted glob patterns, or -' }],
    flags: summarizeFlags,
    examples: summarizeExamples,
    showsExitCodes: true,
    async run([inputs]: [string[]], options: SummarizeOptions, { runtime, version }) {
      checkOpenFiles()
      const { summarize } = await import('../commands/summarize.ts')
      return summarize(inputs, options, runtime, version)
    },
  },
  {
    name: 'compare',
    description: 'run the same documents through several prompts and models, and compare the results',
    arguments: [{ syntax: '[inputs...]', help: 'files, directories or quoted glob patterns' }],
    flags: compareFlags,
    examples: [
      ['claude-batch compare ./docs --prompts summarize@v1,summarize@v2', 'compare two versions of a prompt'],
      ['claude-batch compare ./docs --models haiku,sonnet --limit 50', 'compare two models on 50 documents'],
      [
        'claude-batch compare ./docs --models haiku,sonnet --judge opus',
        'let a third model judge the summaries',
      ],
    ],
    async run([inputs]: [string[]], options: CompareOptions, { runtime, version }) {
      const { compare } = await import('../commands/compare.ts')
      return compare(inputs, options, runtime, version)
    },
  },
  {
    name: 'report',
    description: 'report on past runs and list stale summaries',
    arguments: [outputFolderArgument],
    flags: reportFlags,
    examples: [
      ['claude-batch report', 'show the runs of summaries/, their cost, and stale summaries'],
      ['claude-batch report --run last --format html > last.html', 'save the last run as an HTML page'],
      ['claude-batch report notes --prune', 'delete the summaries of deleted documents'],
    ],
    async run([dir]: [string], options: ReportOptions, { runtime, version }) {
      const { report } = await import('../commands/report.ts')
      return report(dir, options, runtime, version)
    },
  },
  {
    name: 'export',
    description: 'write all current summaries as one JSONL, CSV, Markdown or HTML file',
    arguments: [outputFolderArgument],
    flags: exportFlags,
    examples: [
      ['claude-batch export -o summaries.csv', 'a table for a spreadsheet, with one row per document'],
      ['claude-batch export -o summaries.html --path docs/2026', 'a page with the summaries of one folder'],
      ['claude-batch export --flagged | jq -r .path', 'the documents whose summary was flagged'],
    ],
    async run([dir]: [string], options: ExportOptions, { runtime, version }) {
      const { exportResults } = await import('../commands/export.ts')
      return exportResults(dir, options, runtime, version)
    },
  },
  {
    name: 'merge',
    description: 'combine output folders, such as those of shards, into one',
    arguments: [{ syntax: '<folders...>', help: 'output folders' }],
    flags: mergeFlags,
    examples: [
      [
        'claude-batch merge part1 part2 part3 -o all',
        'one folder with the summaries, ledger and costs of all three',
      ],
      ['claude-batch merge part* -o all --quiet', 'again, after more runs: adds what is new'],
    ],
    async run([folders]: [string[]], options: MergeOptions, { runtime, version }) {
      const { merge } = await import('../commands/merge.ts')
      return merge(folders, options, runtime, version)
    },
  },
  {
    name: 'unlock',
    description: 'remove the lock of an output folder whose run has ended; shows the holder and asks first',
    arguments: [outputFolderArgument],
    flags: unlockFlags,
    examples: [
      ['claude-batch unlock', 'show who holds summaries/, and ask'],
      ['claude-batch unlock notes --yes', 'remove the lock without a terminal'],
    ],
    async run([dir]: [string], options: UnlockOptions, { runtime, version }) {
      const { unlock } = await import('../commands/unlock.ts')
      return unlock(dir, options, runtime, version)
    },
  },
  {
    name: 'batches',
    description: 'list, check, collect and cancel the Message Batches of summarize --batch',
    examples: [
      ['claude-batch batches status', 'show how far each batch is'],
      ['claude-batch batches collect', 'fetch the summaries that are ready'],
    ],
    subcommands: batchesCommands,
  },
  {
    name: 'prompts',
    description: 'list, show, compare, check and pin versioned prompts',
    examples: [
      ['claude-batch prompts list', 'list the prompts and the versions in use'],
      ['claude-batch prompts pin summarize@v1', 'roll back, starting with the next run'],
    ],
    subcommands: promptsCommands,
  },
  {
    name: 'serve',
    description: 'summarize over HTTP, as Server-Sent Events: POST /stream, and a page to try it',
    flags: serveFlags,
    examples: [
      ['claude-batch serve --simulate', 'try it: http://localhost:8000/, no key, no cost'],
      ['claude-batch serve --host 0.0.0.0 --token env:SERVE_TOKEN', 'serve a network, with a token'],
    ],
    async run(_args: [], options: ServeOptions, { runtime }) {
      const { serve } = await import('../commands/serve.ts')
      return serve(options, runtime)
    },
  },
  {
    name: 'simulate',
    description: 'run a simulated Messages API on this machine, for rehearsals and tests',
    flags: simulateFlags,
    examples: [
      ['claude-batch simulate --rpm 60 --fault 529=0.05', 'simulate a slow API that is sometimes overloaded'],
      [
        'ANTHROPIC_BASE_URL=http://127.0.0.1:8787 ANTHROPIC_API_KEY=any claude-batch summarize ./docs',
        'use it, in another terminal',
      ],
    ],
    async run(_args: [], options: SimulateOptions, { runtime }) {
      const { simulate } = await import('../commands/simulate.ts')
      return simulate(options, runtime)
    },
  },
  {
    name: 'config',
    description: 'print the settings that summarize would use, and where each one comes from',
    arguments: [
      { syntax: '[inputs...]', help: 'ignored, so that you can replace summarize with config in a command' },
    ],
    flags: summarizeFlags,
    examples: [['claude-batch config --profile night', 'show the settings of a run with this profile']],
    async run(_args: [string[]], options: SummarizeOptions, { runtime, command }) {
      const { showConfig } = await import('../commands/config.ts')
      return showConfig(options, (name) => command.getOptionValueSource(name), runtime)
    },
  },
  {
    name: 'doctor',
    description: 'check credentials, model, limits, prices and output folder, and print what to do',
    arguments: [
      { syntax: '[inputs...]', help: 'ignored, so that you can replace summarize with doctor in a command' },
    ],
    flags: doctorFlags,
    examples: [
      ['claude-batch doctor', 'check what summarize would use; free of charge'],
      ['claude-batch doctor --json', 'the same for a program'],
    ],
    async run(_args: [string[]], options: DoctorOptions, { runtime, version, command }) {
      const { doctor } = await import('../commands/doctor.ts')
      const origins = Object.keys(summarizeFlags).flatMap((name) => command.getOptionValueSource(name) ?? [])
      return doctor(options, origins, runtime, version)
    },
  },
  {
    name: 'completion',
    description: 'print a shell script that completes commands, flags, prompts and models',
    arguments: [{ syntax: '<shell>', help: 'bash, zsh or fish' }],
    examples: [['eval "$(claude-batch completion bash)"', 'for bash: add this line to ~/.bashrc']],
    async run([shell]: [string], _options: object, { runtime }) {
      const { printCompletionScript } = await import('../commands/completion.ts')
      return printCompletionScript(shell, runtime)
    },
  },
  {
    name: 'complete',
    isHidden: true,
    arguments: [{ syntax: '[words...]' }],
    async run([words]: [string[]], _options: object, { runtime, command }) {
      const [{ parseCompletion }, { complete }] = await Promise.all([
        import('./parse-completion.ts'),
        import('../commands/complete.ts'),
      ])
      return complete(parseCompletion(command.parent ?? command, words), runtime)
    },
  },
]
