import type { Command, Option } from 'commander'
import type { CompletionQuery } from '../commands/complete.ts'
import { findFlag } from './add-flags.ts'
import { listVisibleCommands } from './visible-commands.ts'

/**
 * Returns what the shell should complete.
 * @param words the command line after the program's name; the last word is being typed and may be empty
 */
export function parseCompletion(program: Command, words: readonly string[]): CompletionQuery {
  const typed = words.at(-1) ?? ''
  let command = program
  let argumentIndex = 0
  let pendingOption: Option | undefined
  for (const word of words.slice(0, -1)) {
    if (pendingOption !== undefined) pendingOption = undefined
    else if (word.startsWith('-')) pendingOption = findValueOption(command, word)
    else {
      const subcommand = command.commands.find((candidate) => candidate.name() === word)
      if (subcommand === undefined) argumentIndex++
      else [command, argumentIndex] = [subcommand, 0]
    }
  }
  if (pendingOption !== undefined) return { target: { flag: findFlag(pendingOption) }, typed, prefix: '' }
  const [, flag, rest] = /^(--[a-z-]+)=(.*)$/s.exec(typed) ?? []
  if (flag !== undefined && rest !== undefined) {
    const option = findValueOption(command, flag)
    return { target: { flag: option && findFlag(option) }, typed: rest, prefix: `${flag}=` }
  }
  if (typed.startsWith('-')) return { target: { words: listFlags(command) }, typed, prefix: '' }
  const subcommandNames = listVisibleCommands(command).map((subcommand) => subcommand.name())
  if (subcommandNames.length > 0 && argumentIndex === 0)
    return { target: { words: subcommandNames }, typed, prefix: '' }
  return { target: { argument: `${command.name()} ${argumentIndex}` }, typed, prefix: '' }
}

/** Returns the option with this name if it takes a value. */
function findValueOption(command: Command, flag: string): Option | undefined {
  return command.options.find(
    (option) => (option.required || option.optional) && (option.long === flag || option.short === flag),
  )
}

function listFlags(command: Command): string[] {
  return [...command.options.flatMap(({ long }) => long ?? []), '--help']
}
