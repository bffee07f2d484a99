import type { Command } from 'commander'
import type { Flag } from '../config/flag.ts'
import type { Exit } from '../errors.ts'
import type { Runtime } from '../runtime.ts'

/** One command: its help, arguments, flags, and the function that runs it. */
export interface CommandSpec {
  readonly name: string
  readonly description?: string
  /** Whether the help leaves the command out. */
  readonly isHidden?: true
  readonly arguments?: readonly ArgumentSpec[]
  readonly flags?: Readonly<Record<string, Flag>>
  /** Examples at the top of the command's help. */
  readonly examples?: readonly Example[]
  /** Whether the command's help ends with the table of exit codes. */
  readonly showsExitCodes?: true
  readonly subcommands?: readonly CommandSpec[]
  /**
   * Imports the command and runs it; undefined for a group of subcommands.
   * @param args the arguments in order; an argument with `...` is an array
   * @param options the values of the flags
   */
  readonly run?: (args: never, options: never, context: CommandContext) => Promise<Exit>
}

/** An argument of a command. */
export interface ArgumentSpec {
  /** In commander's syntax: `<required>`, `[optional]`, `[several...]`. */
  readonly syntax: string
  readonly help?: string
  readonly default?: string
}

/** A command line and what it does. */
export type Example = readonly [command: string, explanation: string]

/** What a command may use besides its arguments and flags. */
export interface CommandContext {
  readonly runtime: Runtime
  readonly version: string
  /** The commander command, which knows the source of each option value. */
  readonly command: Command
}
