import { Command, CommanderError } from 'commander'
import { addFlags, getSwitchDefaults } from './cli/add-flags.ts'
import { applySettings } from './cli/apply-settings.ts'
import { checkOpenFiles } from './cli/check-open-files.ts'
import { firstSteps, formatExamples } from './cli/help-examples.ts'
import type { Candidates } from './commands/complete.ts'
import {
  type BatchesOptions,
  batchesFlags,
  type CollectOptions,
  collectFlags,
} from './config/batches-flags.ts'
import { type CompareOptions, compareFlags } from './config/compare-flags.ts'
import { defaultOutputFolder } from './config/flags/output-flags.ts'
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
 * Runs the command that the arguments name.
 * @throws UsageError for wrong flags; what the command throws
 */
export async function runCli(runtime: Runtime, version: string): Promise<Exit> {
  if (runtime.argv.length === 0) {
    runtime.stderr.write(firstSteps)
    return 'usage'
  }
  let exit: Exit = 'ok'
  const program = createProgram(runtime, version, (commandExit) => {
    exit = commandExit
  })
  try {
    await program.parseAsync([...runtime.argv], { from: 'user' })
    return exit
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Help that was asked for is no mistake; help that is shown because a command is missing is one.
    if (error.exitCode === 0) return 'ok'
    if (error.code === 'commander.help') return 'usage'
    throw new UsageError(toOneLine(error.message))
  }
}

interface CommandContext {
  readonly runtime: Runtime
  readonly version: string
  /** Takes how the command ended. */
  readonly onExit: (exit: Exit) => void
}

/**
 * Returns the command line: all commands with their flags and help. Each action imports its command when it is called,
 * so that `--help` loads nothing heavy.
 */
export function createProgram(runtime: Runtime, version: string, onExit: (exit: Exit) => void): Command {
  const program = new Command('claude-batch')
    .description('Summarize documents with Claude: one summary or one ERROR: record per document.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', `\n${formatExitCodes()}`)
  const context = { runtime, version, onExit }
  addDocumentCommands(program, context)
  addFolderCommands(program, context)
  addBatchesCommands(program, context)
  addPromptsCommands(program, context)
  addServerCommands(program, context)
  addSetupCommands(program, context)
  addCompleteCommand(program, runtime)
  program.hook('preAction', (_program, command) => applySettings(command, runtime))
  configureOutput(program, runtime)
  return program
}

function addDocumentCommands(program: Command, { runtime, version, onExit }: CommandContext): void {
  addFlags(program.command('summarize'), summarizeFlags)
    .description('summarize files, directories and glob patterns; - reads one document from stdin')
    .argument('[inputs...]', 'files, directories, quoted glob patterns, or -')
    .addHelpText('after', `\n${formatExitCodes()}`)
    .action(async (inputs: string[], options: SummarizeOptions) => {
      checkOpenFiles()
      const { summarize } = await import('./commands/summarize.ts')
      onExit(await summarize(inputs, { ...getSwitchDefaults(summarizeFlags), ...options }, runtime, version))
    })

  addFlags(program.command('compare'), compareFlags)
    .description('run the same documents through several prompts and models, and compare the results')
    .argument('[inputs...]', 'files, directories or quoted glob patterns')
    .action(async (inputs: string[], options: CompareOptions) => {
      const { compare } = await import('./commands/compare.ts')
      onExit(await compare(inputs, { ...getSwitchDefaults(compareFlags), ...options }, runtime, version))
    })
}

function addFolderCommands(program: Command, { runtime, version, onExit }: CommandContext): void {
  addFolderArgument(addFlags(program.command('report'), reportFlags))
    .description('report on past runs and list stale summaries')
    .action(async (dir: string, options: ReportOptions) => {
      const { report } = await import('./commands/report.ts')
      onExit(await report(dir, { ...getSwitchDefaults(reportFlags), ...options }, runtime, version))
    })

  addFolderArgument(addFlags(program.command('unlock'), unlockFlags))
    .description('remove the lock of an output folder whose run has ended; shows the holder and asks first')
    .action(async (dir: string, options: UnlockOptions) => {
      const { unlock } = await import('./commands/unlock.ts')
      onExit(await unlock(dir, { ...getSwitchDefaults(unlockFlags), ...options }, runtime, version))
    })
}

function addFolderArgument(command: Command): Command {
  return command.argument('[dir]', 'output folder', defaultOutputFolder)
}

function addBatchesCommands(program: Command, { runtime, version, onExit }: CommandContext): void {
  const batches = program
    .command('batches')
    .description('list, check, collect and cancel the Message Batches of summarize --batch')
  addFolderArgument(batches.command('list'))
    .description('list the batches recorded in the output folder (no network)')
    .action(async (dir: string) => {
      const { listBatches } = await import('./commands/batches/list.ts')
      onExit(await listBatches(dir, runtime))
    })
  addFolderArgument(addFlags(batches.command('status'), batchesFlags))
    .description('show the status of the batches at the API')
    .action(async (dir: string, options: BatchesOptions) => {
      const { showBatchStatus } = await import('./commands/batches/status.ts')
      onExit(await showBatchStatus(dir, options, runtime))
    })
  addFolderArgument(addFlags(batches.command('collect'), collectFlags))
    .description('fetch the summaries of batches that have ended')
    .action(async (dir: string, options: CollectOptions) => {
      const { collectBatches } = await import('./commands/batches/collect.ts')
      onExit(await collectBatches(dir, { ...getSwitchDefaults(collectFlags), ...options }, runtime, version))
    })
  addFolderArgument(addFlags(batches.command('cancel'), batchesFlags))
    .description('cancel batches; results that are ready by then are billed and can still be collected')
    .action(async (dir: string, options: BatchesOptions) => {
      const { cancelBatches } = await import('./commands/batches/cancel.ts')
      onExit(await cancelBatches(dir, options, runtime, version))
    })
}

function addPromptsCommands(program: Command, { runtime, onExit }: CommandContext): void {
  const prompts = program
    .command('prompts')
    .description('list, show, compare, check and pin versioned prompts')
  prompts
    .command('list')
    .description('list the available prompts, with the version in use and the reason')
    .action(async () => {
      const { listPrompts } = await import('./commands/prompts/list.ts')
      onExit(await listPrompts(runtime))
    })
  addFlags(prompts.command('show'), promptsShowFlags)
    .description('print one version of a prompt, as written or as sent for a document')
    .argument('<prompt>', 'name, name@v1 or a file')
    .action(async (spec: string, options: PromptsShowOptions) => {
      const { showPrompt } = await import('./commands/prompts/show.ts')
      onExit(await showPrompt(spec, options, runtime))
    })
  prompts
    .command('diff')
    .description('diff two prompt versions; with one argument, against the version in use')
    .argument('<from>', 'name@v1')
    .argument('[to]', 'name@v2 or v2')
    .action(async (from: string, to: string | undefined) => {
      const { diffPrompts } = await import('./commands/prompts/diff.ts')
      onExit(await diffPrompts(from, to, runtime))
    })
  prompts
    .command('check')
    .description('check prompts for mistakes (exit 1 if there are any)')
    .argument('[prompts...]', 'names or files (default: all prompts)')
    .action(async (names: string[]) => {
      const { checkPrompts } = await import('./commands/prompts/check.ts')
      onExit(await checkPrompts(names, runtime))
    })
  prompts
    .command('pin')
    .description('use this version from now on; without a version, use the latest again')
    .argument('<prompt>', 'name@v1 or name')
    .action(async (spec: string) => {
      const { pinPrompt } = await import('./commands/prompts/pin.ts')
      onExit(await pinPrompt(spec, runtime))
    })
}

function addServerCommands(program: Command, { runtime, onExit }: CommandContext): void {
  addFlags(program.command('serve'), serveFlags)
    .description('summarize over HTTP, as Server-Sent Events: POST /stream, and a page to try it')
    .action(async (options: ServeOptions) => {
      const { serve } = await import('./commands/serve.ts')
      onExit(await serve({ ...getSwitchDefaults(serveFlags), ...options }, runtime))
    })

  addFlags(program.command('simulate'), simulateFlags)
    .description('run a simulated Messages API on this machine, for rehearsals and tests')
    .action(async (options: SimulateOptions) => {
      const { simulate } = await import('./commands/simulate.ts')
      onExit(await simulate({ ...getSwitchDefaults(simulateFlags), ...options }, runtime))
    })
}

function addSetupCommands(program: Command, { runtime, onExit }: CommandContext): void {
  addFlags(program.command('config'), summarizeFlags)
    .description('print the settings that summarize would use, and where each one comes from')
    .argument('[inputs...]', 'the inputs of summarize')
    .action(async (_inputs: string[], options: SummarizeOptions, command: Command) => {
      const { showConfig } = await import('./commands/config.ts')
      onExit(showConfig(options, (name) => command.getOptionValueSource(name), runtime))
    })

  program
    .command('completion')
    .description('print a shell script that completes commands, flags, prompts and models')
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell: string) => {
      const { completionScripts } = await import('./commands/completion.ts')
      if (!Object.hasOwn(completionScripts, shell))
        throw new UsageError(`completion: expected bash, zsh or fish, got ${shell}`)
      runtime.stdout.write(completionScripts[shell as keyof typeof completionScripts])
    })
}

/** Adds what the shell scripts of `completion` call. */
function addCompleteCommand(program: Command, runtime: Runtime): void {
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      const [{ parseCompletion }, { listCandidates }] = await Promise.all([
        import('./cli/parse-completion.ts'),
        import('./commands/complete.ts'),
      ])
      const { target, typed, prefix } = parseCompletion(program, words)
      // A shell asks at each key; mistakes in a prompt are reported when it is used.
      const { candidates, isList }: Candidates =
        'words' in target
          ? { candidates: target.words, isList: false }
          : await listCandidates(target.value, runtime).catch(() => ({ candidates: [], isList: false }))
      // Of a list, only what follows the last comma is completed.
      const listPrefix = isList ? typed.replace(/[^,]*$/, '') : ''
      for (const candidate of candidates) {
        const line = prefix + listPrefix + candidate
        if (line.startsWith(prefix + typed) && line === escapeControlChars(line))
          runtime.stdout.write(`${line}\n`)
      }
    })
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
        // Printed by main, like any other usage error.
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
