import { type Command, Option } from 'commander'
import type { Flag } from '../config/flag.ts'

/** Gives a command its flags, with their help, groups, defaults and checks. */
export function addFlags(command: Command, flags: Readonly<Record<string, Flag>>): Command {
  for (const { syntax, help, group, parse, default: defaultValue } of Object.values(flags)) {
    const option = new Option(syntax, help).helpGroup(`${group}:`)
    if (defaultValue !== undefined)
      option.default(defaultValue, parse?.format?.(defaultValue as never) ?? String(defaultValue))
    // The long form names the flag in errors, however it was written.
    const name = option.long ?? syntax
    if (parse !== undefined)
      option.argParser((text, previous) =>
        parse(text, name, (previous === defaultValue ? undefined : previous) as never),
      )
    command.addOption(option)
  }
  return command
}

/** Switches are false, not undefined, when they are not given. */
export function getSwitchDefaults(flags: Readonly<Record<string, Flag>>): Record<string, false> {
  const switches = Object.entries(flags).filter(
    ([, { parse, default: defaultValue }]) => parse === undefined && defaultValue === undefined,
  )
  return Object.fromEntries(switches.map(([name]) => [name, false]))
}
