import type { ValueSchema } from './flag-parsers.ts'

/** One flag: the help, the checking and the type of its value all come from here. */
export interface Flag {
  readonly group: string
  /** As commander takes it: `-o, --out <dir>`. */
  readonly syntax: string
  readonly help: string
  /** What it is when not given, as the help shows it; undefined values say so in `help`. */
  readonly default?: unknown
  /** Checks the user's text. @throws UsageError that names the flag */
  readonly parse?: ((text: string, flag: string, before?: never) => unknown) & {
    readonly schema: ValueSchema
    /** How the help shows a value; as it is, if left out. */
    readonly format?: (value: never) => string
  }
  /** As a configuration file has a value of it, where that is not the value itself. */
  readonly toConfigValue?: (value: never) => unknown
  /** It names a file or folder, or may: in a configuration file, as seen from that file. */
  readonly path?: 'always' | 'where it looks like one'
  /**
   * It runs a program or lifts a protection. A configuration file may set it only if the user chose that file: named
   * it with `--config`, or keeps it in their own configuration folder. A file that was merely found may not.
   */
  readonly requiresTrust?: true
  /** Its value in a configuration file that lies in this folder, where that depends on it. */
  readonly resolveIn?: (folder: string) => (value: never) => unknown
  /** What the shell completes its value with, if the parser does not list its values. */
  readonly completes?: 'model' | 'prompt' | 'profile'
  /** Its value is a comma-separated list. */
  readonly isList?: boolean
  /** A list to which each place where it is given adds; otherwise one of them overrides the others. */
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

/** What they are where none is given. */
export function getDefaults<Table extends Readonly<Record<string, Flag>>>(flags: Table): FlagValues<Table> {
  const values = Object.entries(flags).map(([name, { parse, default: defaultValue }]) => [
    name,
    defaultValue ?? (parse === undefined ? false : undefined),
  ])
  return Object.fromEntries(values) as FlagValues<Table>
}
