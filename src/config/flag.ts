import type { ValueSchema } from './flag-parsers.ts'

/** One flag. Its help, its checks and the type of its value follow from this declaration. */
export interface Flag {
  readonly group: string
  /** In commander's syntax: `-o, --out <dir>`. */
  readonly syntax: string
  readonly help: string
  /** The default, which the help shows. If undefined, `help` describes what happens without the flag. */
  readonly default?: unknown
  /** Parses the user's text. @throws UsageError that names the flag */
  readonly parse?: ((text: string, flag: string, previous?: never) => unknown) & {
    readonly schema: ValueSchema
    /** Formats a value for the help. @default String */
    readonly format?: (value: never) => string
  }
  /** The key in a configuration file, if it is not the name of the flag: a table has a plural name. */
  readonly configKey?: string
  /** Whether the short help of a command with many flags lists it. */
  readonly isCommon?: true
  /** Converts a value to its form in a configuration file, if that is not the value itself. */
  readonly toConfigValue?: (value: never) => unknown
  /**
   * Whether the value names a file or folder. In a configuration file, such a path is relative to that file.
   */
  readonly path?: 'always' | 'where it looks like one'
  /**
   * Whether the flag runs a program or lifts a protection. Only a configuration file that the user chose may
   * set it: one named with `--config`, or the one in the user's configuration folder. A file that was merely
   * found may not.
   */
  readonly requiresTrust?: true
  /**
   * Returns a function that adapts a value to the folder of its configuration file, if the value depends on
   * it.
   */
  readonly resolveIn?: (folder: string) => (value: never) => unknown
  /** The kind of values that the shell completion offers, if the parser does not list its values. */
  readonly completes?: 'model' | 'prompt' | 'profile'
  /** Whether the value is a comma-separated list. */
  readonly isList?: boolean
  /**
   * Whether the values from command line, environment and files are combined. Otherwise one overrides the
   * others.
   */
  readonly accumulates?: true
}

type ParserResult<F> = F extends { parse: (...args: never[]) => infer Value } ? Value : boolean
type ParsedValue<F> = F extends { default: unknown }
  ? ParserResult<F>
  : F extends { parse: unknown }
    ? ParserResult<F> | undefined
    : boolean

/** The values of a table of flags after parsing. */
export type FlagValues<Table> = { readonly [Name in keyof Table]: ParsedValue<Table[Name]> }

/** Returns the values of flags that are not set. */
export function getDefaults<Table extends Readonly<Record<string, Flag>>>(flags: Table): FlagValues<Table> {
  const values = Object.entries(flags).map(([name, { parse, default: defaultValue }]) => [
    name,
    defaultValue ?? (parse === undefined ? false : undefined),
  ])
  return Object.fromEntries(values) as FlagValues<Table>
}
