import type { Flag } from './flag.ts'

type FlagTable = Readonly<Record<string, Flag>>

/** Returns a flag's name: `max-tokens` for `--max-tokens <n>`, `ignore` for `--no-ignore`. */
export function getFlagName({ syntax }: Flag): string {
  return /--(?:no-)?([a-z-]+)/.exec(syntax)?.[1] ?? syntax
}

/** Returns a flag's key in a configuration file: its name, unless the flag is an entry of a table. */
export function getConfigKey(flag: Flag): string {
  return flag.configKey ?? getFlagName(flag)
}

/** Returns the name of a flag's environment variable: `CLAUDE_BATCH_MAX_TOKENS`. */
export function getVariableName(flag: Flag): string {
  return `CLAUDE_BATCH_${getConfigKey(flag).toUpperCase().replaceAll('-', '_')}`
}

/** Whether a flag is a switch, which is on or off and has no value. */
export function isSwitch({ parse }: Flag): boolean {
  return parse === undefined
}

/** Returns the flags of several tables by key. A key that several tables have means the same in each. */
export function indexFlagsByKey(...tables: readonly FlagTable[]): ReadonlyMap<string, Flag> {
  return new Map(
    tables.flatMap((table) => Object.values(table).map((flag) => [getConfigKey(flag), flag] as const)),
  )
}
