import { type Command, Option } from 'commander'
import type { Flag } from '../config/flag.ts'
import { CommandLineError, UsageError } from '../errors.ts'
import { markAsRare } from './help-layout.ts'

/** Adds flags to a command, with their help, groups, defaults and parsers. */
export function addFlags(command: Command, flags: Readonly<Record<string, Flag>>): Command {
  const hasShortHelp = Object.keys(flags).length > maxListedFlags
  for (const flag of Object.values(flags)) {
    const { syntax, help, group, parse, isCommon, default: defaultValue } = flag
    const option = new Option(syntax, help).helpGroup(`${group}:`)
    if (defaultValue !== undefined)
      option.default(defaultValue, parse?.format?.(defaultValue as never) ?? String(defaultValue))
    // Error messages name the long form of a flag, even if the user typed the short one.
    const name = option.long ?? syntax
    if (parse !== undefined)
      option.argParser((text, previous) => {
        // A forgotten value would take the next option with it, such as --simulate.
        if (command.options.some(({ long, short }) => text === long || text === short))
          throw new CommandLineError(`${name} needs a value, but ${text} is an option`)
        try {
          return parse(text, name, (previous === defaultValue ? undefined : previous) as never)
        } catch (error) {
          // Variables and configuration files use the same parser, and their errors are plain usage errors.
          throw error instanceof UsageError ? new CommandLineError(error.message) : error
        }
      })
    if (hasShortHelp && !isCommon) markAsRare(option)
    flagsByOption.set(option, flag)
    command.addOption(option)
  }
  return command
}

const flagsByOption = new WeakMap<Option, Flag>()

/** Returns the flag of an option that `addFlags` added. */
export function findFlag(option: Option): Flag | undefined {
  return flagsByOption.get(option)
}

/** A command with more flags has a short help. */
const maxListedFlags = 20

/**
 * Returns `false` for every switch without a default, so that a switch that is not given is not undefined.
 */
export function getSwitchDefaults(flags: Readonly<Record<string, Flag>>): Record<string, false> {
  const switches = Object.entries(flags).filter(
    ([, { parse, default: defaultValue }]) => parse === undefined && defaultValue === undefined,
  )
  return Object.fromEntries(switches.map(([name]) => [name, false]))
}
