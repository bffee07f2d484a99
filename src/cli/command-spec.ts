import type { Command } from 'commander'
import type { Flag } from '../config/flag.ts'
import type { Exit } from '../errors.ts'
import type { Runtime } from '../runtime.ts'

/** A row in the table of commands: its help, its arguments and flags, and what runs it. */
export interface CommandSpec {
  readonly name: string
  readonly description?: string
  /** It is not listed in the help. */
  readonly isHidden?: true
  readonly arguments?: readonly ArgumentSpec[]
  readonly flags?: Readonly<Record<string, Flag>>
  /** What its help begins with. */
  readonly examples?: readonly Example[]
  /** Its help ends with the table of exit codes. */
  readonly showsExitCodes?: true
  readonly subcommands?: readonly CommandSpec[]
  /**
   * Imports the command and runs it; a group of subcommands has none.
   * @param args the arguments in order; one that ends in `...` is an array
   * @param options the values of its flags
   */
  readonly run?: (args: never, options: never, context: CommandContext) => Promise<Exit>
}

/** An argument of a command. */
export interface ArgumentSpec {
  /** As commander takes it: `<required>`, `[optional]`, `[several...]`. */
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
  /** The command that runs, with the origins of its values. */
  readonly command: Command
}
