import { type Command, Option } from 'commander'
import type { Flag } from '../config/flag.ts'

/** Gives a command its flags, with their help, groups, defaults and checks. */
export function withFlags(command: Command, flags: Readonly<Record<string, Flag>>): Command {
  for (const { flag, help, group, parse, default: preset } of Object.values(flags)) {
    const option = new Option(flag, help).helpGroup(`${group}:`)
    if (preset !== undefined) option.default(preset)
    // The long form names the flag in errors, however it was written.
    const name = option.long ?? flag
    if (parse !== undefined)
      option.argParser((text, before) => parse(text, name, (before === preset ? undefined : before) as never))
    command.addOption(option)
  }
  return command
}

/** Switches are false, not undefined, when they are not given. */
export function unset(flags: Readonly<Record<string, Flag>>): Record<string, false> {
  const switches = Object.entries(flags).filter(
    ([, { parse, default: preset }]) => parse === undefined && preset === undefined,
  )
  return Object.fromEntries(switches.map(([name]) => [name, false]))
}
