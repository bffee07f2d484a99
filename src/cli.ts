import { Command, CommanderError } from 'commander'
import { addFlags, getSwitchDefaults } from './cli/add-flags.ts'
import { applySettings } from './cli/apply-settings.ts'
import { checkOpenFiles } from './cli/check-open-files.ts'
import { firstSteps, formatExamples } from './cli/help-examples.ts'
import {
  type BatchesOptions,
  batchesFlags,
  type CollectOptions,
  collectFlags,
} from './config/batches-flags.ts'
import { type CompareOptions, compareFlags } from './config/compare-flags.ts'
import { type PromptsShowOptions, promptsShowFlags } from './config/prompts-show-flags.ts'
import { type ReportOptions, reportFlags } from './config/report-flags.ts'
import { type ServeOptions, serveFlags } from './config/serve-flags.ts'
import { type SimulateOptions, simulateFlags } from './config/simulate-flags.ts'
import { type SummarizeOptions, summarizeFlags } from './config/summarize-flags.ts'
import { type UnlockOptions, unlockFlags } from './config/unlock-flags.ts'
import { escapeControlChars } from './core/text/escape-control-chars.ts'
import { type Exit, exitCodes, UsageError } from './errors.ts'
import type { Runtime } from './runtime.ts'

/**
 * The command line: flags and help. Each action imports its command when it is called, so that `--help` loads nothing
 * heavy.
 * @throws UsageError for wrong flags; whatever the command throws
 */
export async function runCli(runtime: Runtime, version: string): Promise<Exit> {
  if (runtime.argv.length === 0) {
    runtime.stderr.write(firstSteps)
    return 'usage'
  }
  let exit: Exit = 'ok'
  const program = new Command('claude-batch')
    .description('Summarize documents with Claude: one summary or one ERROR: record per document.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', `\n${formatExitCodes()}`)

  addFlags(program.command('summarize'), summarizeFlags)
    .description('summarize files, directories and patterns; - is one document on stdin')
    .argument('[inputs...]', 'files, directories, quoted patterns, or -')
    .addHelpText('after', `\n${formatExitCodes()}`)
    .action(async (inputs: string[], options: SummarizeOptions) => {
      checkOpenFiles()
      const { summarize } = await import('./commands/summarize.ts')
      exit = await summarize(inputs, { ...getSwitchDefaults(summarizeFlags), ...options }, runtime, version)
    })

  addFlags(program.command('compare'), compareFlags)
    .description('send the same documents through several prompts and models, and compare what comes out')
    .argument('[inputs...]', 'files, directories or quoted patterns')
    .action(async (inputs: string[], options: CompareOptions) => {
      const { compare } = await import('./commands/compare.ts')
      exit = await compare(inputs, { ...getSwitchDefaults(compareFlags), ...options }, runtime, version)
    })

  addFlags(program.command('report'), reportFlags)
    .description('account for past runs of an output folder, and list what is stale in it')
    .argument('[dir]', 'the output folder', 'summaries')
    .action(async (dir: string, options: ReportOptions) => {
      const { report } = await import('./commands/report.ts')
      exit = await report(
        dir,
        { ...getSwitchDefaults(reportFlags), ...options } as ReportOptions,
        runtime,
        version,
      )
    })

  addFlags(program.command('unlock'), unlockFlags)
    .description('remove the lock of an output folder whose run is over; shows the holder, and asks')
    .argument('[dir]', 'the output folder', 'summaries')
    .action(async (dir: string, options: UnlockOptions) => {
      const { unlock } = await import('./commands/unlock.ts')
      exit = await unlock(dir, { ...getSwitchDefaults(unlockFlags), ...options }, runtime, version)
    })

  const batches = program
    .command('batches')
    .description('the Message Batches that summarize --batch has made and not collected yet')
  const addFolderArgument = (command: Command) => command.argument('[dir]', 'the output folder', 'summaries')
  addFolderArgument(batches.command('list'))
    .description('which there are, as far as the folder remembers; asks nobody')
    .action(async (dir: string) => {
      const { listBatches } = await import('./commands/batches/list.ts')
      exit = await listBatches(dir, runtime)
    })
  addFolderArgument(addFlags(batches.command('status'), batchesFlags))
    .description('how they stand, as the service tells')
    .action(async (dir: string, options: BatchesOptions) => {
      const { showBatchStatus } = await import('./commands/batches/status.ts')
      exit = await showBatchStatus(dir, options, runtime)
    })
  addFolderArgument(addFlags(batches.command('collect'), collectFlags))
    .description('fetch the summaries of those that have ended')
    .action(async (dir: string, options: CollectOptions) => {
      const { collectBatches } = await import('./commands/batches/collect.ts')
      exit = await collectBatches(dir, { ...getSwitchDefaults(collectFlags), ...options }, runtime, version)
    })
  addFolderArgument(addFlags(batches.command('cancel'), batchesFlags))
    .description('cancel them; what they have done by then is billed, and still to be collected')
    .action(async (dir: string, options: BatchesOptions) => {
      const { cancelBatches } = await import('./commands/batches/cancel.ts')
      exit = await cancelBatches(dir, options, runtime, version)
    })

  const prompts = program
    .command('prompts')
    .description('list, show, compare, check and pin the versioned prompts')
  prompts
    .command('list')
    .description('the prompts there are, which version is used and why')
    .action(async () => {
      const { listPrompts } = await import('./commands/prompts/list.ts')
      exit = await listPrompts(runtime)
    })
  addFlags(prompts.command('show'), promptsShowFlags)
    .description('one version of a prompt, as written or as it would be sent for a document')
    .argument('<prompt>', 'name, name@v1 or a file')
    .action(async (spec: string, options: PromptsShowOptions) => {
      const { showPrompt } = await import('./commands/prompts/show.ts')
      exit = await showPrompt(spec, options, runtime)
    })
  prompts
    .command('diff')
    .description('in what two versions differ; one alone is compared with the version in use')
    .argument('<from>', 'name@v1')
    .argument('[to]', 'name@v2, or v2')
    .action(async (from: string, to: string | undefined) => {
      const { diffPrompts } = await import('./commands/prompts/diff.ts')
      exit = await diffPrompts(from, to, runtime)
    })
  prompts
    .command('check')
    .description('look for mistakes in prompts; all of them, if none is named (exit 1)')
    .argument('[prompts...]', 'names or files')
    .action(async (names: string[]) => {
      const { checkPrompts } = await import('./commands/prompts/check.ts')
      exit = await checkPrompts(names, runtime)
    })
  prompts
    .command('pin')
    .description('use this version from now on; without a version, the latest again')
    .argument('<prompt>', 'name@v1, or name')
    .action(async (spec: string) => {
      const { pinPrompt } = await import('./commands/prompts/pin.ts')
      exit = await pinPrompt(spec, runtime)
    })

  addFlags(program.command('serve'), serveFlags)
    .description('answer over HTTP, as Server-Sent Events: POST /stream, and a page to try it on')
    .action(async (options: ServeOptions) => {
      const { serve } = await import('./commands/serve.ts')
      exit = await serve({ ...getSwitchDefaults(serveFlags), ...options }, runtime)
    })

  addFlags(program.command('simulate'), simulateFlags)
    .description('serve a simulated Messages API on this machine, for rehearsal and for tests')
    .action(async (options: SimulateOptions) => {
      const { simulate } = await import('./commands/simulate.ts')
      exit = await simulate({ ...getSwitchDefaults(simulateFlags), ...options }, runtime)
    })

  addFlags(program.command('config'), summarizeFlags)
    .description('the settings a run would have, each with its origin')
    .argument('[inputs...]', 'what would be summarized')
    .action(async (_inputs: string[], options: SummarizeOptions, command: Command) => {
      const { showConfig } = await import('./commands/config.ts')
      exit = showConfig(options, (name) => command.getOptionValueSource(name), runtime)
    })

  program
    .command('completion')
    .description('print a script by which a shell completes commands, flags, prompts and models')
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell: string) => {
      const { completionScripts } = await import('./commands/completion.ts')
      if (!Object.hasOwn(completionScripts, shell))
        throw new UsageError(`completion: expected bash, zsh or fish, got ${shell}`)
      runtime.stdout.write(completionScripts[shell as keyof typeof completionScripts])
    })

  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      const [{ parseCompletion }, { listCandidates }] = await Promise.all([
        import('./cli/parse-completion.ts'),
        import('./commands/complete.ts'),
      ])
      const { target, typed, prefix } = parseCompletion(program, words)
      // A shell asks at each key; what is wrong with a prompt is told when it is used.
      const candidates =
        'words' in target ? target.words : await listCandidates(target.value, runtime).catch(() => [])
      // What stands before the last comma of a list is done.
      const listPrefix =
        'value' in target && /^(models|prompts)$/.test(target.value) ? typed.replace(/[^,]*$/, '') : ''
      for (const candidate of candidates) {
        const line = prefix + listPrefix + candidate
        if (line.startsWith(prefix + typed) && line === escapeControlChars(line))
          runtime.stdout.write(`${line}\n`)
      }
    })

  program.hook('preAction', (_program, command) => applySettings(command, runtime))
  configureOutput(program, runtime)
  try {
    await program.parseAsync([...runtime.argv], { from: 'user' })
    return exit
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Shown because it was asked for; help that is shown for want of a command is a mistake in use.
    if (error.exitCode === 0) return 'ok'
    if (error.code === 'commander.help') return 'usage'
    throw new UsageError(toOneLine(error.message))
  }
}

function configureOutput(program: Command, { stdout, stderr }: Runtime): void {
  for (const command of [
    program,
    ...program.commands,
    ...program.commands.flatMap(({ commands }) => commands),
  ]) {
    const examples = formatExamples(command.name())
    if (examples !== '') command.addHelpText('before', examples)
    command
      .exitOverride()
      .showSuggestionAfterError()
      .configureOutput({
        writeOut: (text) => void stdout.write(text),
        writeErr: (text) => void stderr.write(text),
        // Said once, by main, as any other mistake in use.
        outputError: () => {},
        getOutHelpWidth: () => Math.min(stdout.columns ?? 100, 120),
      })
  }
}

function toOneLine(message: string): string {
  return (
    message
      .replace(/^error: /, '')
      .replace(/\s*\n\s*/g, ' ')
      // A value that was meant for another program may be a secret.
      .replace(/(unknown option '--[^'=]*)=.*'/, "$1'")
      .trim()
  )
}

function formatExitCodes(): string {
  const rows = Object.values(exitCodes).map(
    ({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`,
  )
  return `Exit codes:\n${rows.join('\n')}\n`
}
