import { Command, CommanderError } from 'commander'
import { addFlags, getSwitchDefaults } from './cli/add-flags.ts'
import { applySettings, startEventsEarly } from './cli/apply-settings.ts'
import type { CommandContext, CommandSpec } from './cli/command-spec.ts'
import { commands, summarizeExamples } from './cli/commands.ts'
import { firstSteps, formatExamples } from './cli/help-examples.ts'
import {
  countRareOptions,
  createHelpSettings,
  formatRows,
  type HelpOptions,
  wrapText,
} from './cli/help-layout.ts'
import { addNameHint } from './cli/unknown-names.ts'
import { CommandLineError, type Exit, exitCodes } from './errors.ts'
import type { Runtime } from './runtime.ts'

/**
 * Runs the command that the arguments name.
 * @throws CommandLineError for wrong flags or arguments, with the command whose help to read; every error of the
 *   command
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
  const [first, topic] = runtime.argv
  await startEventsEarly(runtime)
  try {
    // commander prints the help of the program for a command that it does not know.
    if (
      first === 'help' &&
      topic !== undefined &&
      /^[^-]/.test(topic) &&
      !program.commands.some((it) => it.name() === topic)
    )
      throw new CommandLineError(`unknown command '${topic}'`)
    await program.parseAsync([...runtime.argv], { from: 'user' })
    return exit
  } catch (error) {
    // `--help` is not an error; help that is printed because the command is missing is one.
    if (error instanceof CommanderError && error.exitCode === 0) return 'ok'
    if (error instanceof CommanderError && error.code === 'commander.help') return 'usage'
    if (!(error instanceof CommanderError || error instanceof CommandLineError)) throw error
    const text = error instanceof CommanderError ? toOneLine(error.message) : error.message
    const message = addNameHint(text)
    const end = message.endsWith('?') ? '' : '.'
    throw new CommandLineError(`${message}${end} See ${findCommandPath(program, runtime.argv)} --help`)
  }
}

/** Returns the command that the arguments name, as a user types it: `claude-batch prompts list`. */
function findCommandPath(program: Command, argv: readonly string[]): string {
  const names = [program.name()]
  let command: Command | undefined = program
  for (const word of argv) {
    command = command.commands.find((subcommand) => subcommand.name() === word)
    if (command === undefined) break
    names.push(word)
  }
  return names.join(' ')
}

/**
 * Returns the commander program: all commands with their help. If the arguments name a command, the others have no flags,
 * because creating all flags takes as long as the rest of the start. Subcommands inherit its settings.
 * @param onExit receives how the command ended
 */
export function createProgram(runtime: Runtime, version: string, onExit: (exit: Exit) => void): Command {
  const { stdout, stderr, argv = [] } = runtime
  const help = { columns: Math.min(stdout?.columns || 100, 120), showsAll: asksForAll(argv) }
  const program = new Command('claude-batch')
    .description(
      'Summarize documents with Claude. Each document gets a summary, or an error record (.error.txt) with the reason.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help; --help all lists all options of a command')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp(createHelpSettings(help))
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      // `main` prints the message, as for any other usage error.
      outputError: () => {},
      getOutHelpWidth: () => help.columns,
    })
    .addHelpText('before', formatExamples(summarizeExamples, help.columns))
    .addHelpText('after', formatHelpEnd(help.columns))
  // The completion of words needs the flags of the command that they begin with.
  const named = commands.find(({ name, isHidden }) => name === argv[0] && !isHidden)
  for (const spec of commands)
    addCommand(
      program,
      spec,
      { runtime, version, help, hasFlags: named === undefined || spec === named },
      onExit,
    )
  return program.hook('preAction', (_program, command) => applySettings(command, runtime))
}

function addCommand(
  parent: Command,
  spec: CommandSpec,
  {
    help,
    hasFlags,
    ...context
  }: Omit<CommandContext, 'command'> & { readonly help: HelpOptions; readonly hasFlags: boolean },
  onExit: (exit: Exit) => void,
): void {
  const { name, description, isHidden = false, flags = {}, examples, run } = spec
  const command = parent.command(name, { hidden: isHidden })
  if (hasFlags) addFlags(command, flags)
  if (description !== undefined) command.description(description)
  for (const { syntax, help, default: defaultValue } of spec.arguments ?? [])
    command.argument(syntax, help, defaultValue)
  if (examples !== undefined) command.addHelpText('before', formatExamples(examples, help.columns))
  const rareOptions = countRareOptions(command)
  if (rareOptions > 0 && !help.showsAll)
    command.addHelpText(
      'after',
      `\n${wrapText(`${rareOptions} more options${spec.showsExitCodes ? ', and exit codes' : ''}: claude-batch ${name} --help all`, help.columns)}`,
    )
  else if (spec.showsExitCodes) command.addHelpText('after', formatHelpEnd(help.columns))
  for (const subcommand of spec.subcommands ?? [])
    addCommand(command, subcommand, { ...context, help, hasFlags }, onExit)
  if (run === undefined) return
  command.action(async () => {
    const options = { ...getSwitchDefaults(flags), ...command.opts() }
    onExit(await run(command.processedArgs as never, options as never, { ...context, command }))
  })
}

function toOneLine(message: string): string {
  return (
    message
      .replace(/^error: /, '')
      .replace(/\s*\n\s*/g, ' ')
      // The value of an unknown flag may be a secret.
      .replace(/(unknown option '--[^'=]*)=.*'/, "$1'")
      .trim()
  )
}

/** Whether the arguments ask for the complete help: `summarize --help all` or `help summarize all`. */
function asksForAll(argv: readonly string[]): boolean {
  const index = argv.indexOf('all')
  return index > 0 && (['-h', '--help'].includes(argv[index - 1] ?? '') || argv[0] === 'help')
}

/** Returns the variables and the exit codes for the end of a help. */
function formatHelpEnd(columns: number): string {
  const rows = Object.values(exitCodes).map(
    ({ code, meaning }) => [String(code).padStart(3), meaning] as const,
  )
  return `\n${formatRows('Environment:', variables, columns)}\n${formatRows('Exit codes:', rows, columns)}`
}

const variables = [
  ['ANTHROPIC_API_KEY', 'API key; not needed with --simulate'],
  ['ANTHROPIC_BASE_URL', 'address of the API, for a gateway or claude-batch simulate'],
] as const
