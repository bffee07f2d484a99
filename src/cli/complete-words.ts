import type { Command, Option } from 'commander'

/** What may stand at the end of a command line that is being typed. */
type Wanted =
  /** One of these words. */
  | { readonly words: readonly string[] }
  /** A value: of the option of that name, or of an argument, by its command and place: `pin 0`. */
  | { readonly value: string }

export interface Completing {
  readonly wanted: Wanted
  /** What is there of it already. */
  readonly typed: string
  /** What stands before it in the same word: `--model=`. */
  readonly before: string
}

/**
 * Finds out what a shell is to complete.
 * @param words of the command line behind the program's name; the last one is being typed, and may be empty
 */
export function completing(program: Command, words: readonly string[]): Completing {
  const typed = words.at(-1) ?? ''
  let command = program
  let places = 0
  let open: Option | undefined
  for (const word of words.slice(0, -1)) {
    if (open !== undefined) open = undefined
    else if (word.startsWith('-')) open = valued(command, word)
    else {
      const next = command.commands.find((it) => it.name() === word)
      if (next === undefined) places++
      else [command, places] = [next, 0]
    }
  }
  if (open !== undefined) return { wanted: { value: keyOf(open) }, typed, before: '' }
  const [, flag, rest] = /^(--[a-z-]+)=(.*)$/s.exec(typed) ?? []
  if (flag !== undefined && rest !== undefined) {
    const option = valued(command, flag)
    const wanted = option === undefined ? { words: [] } : { value: keyOf(option) }
    return { wanted, typed: rest, before: `${flag}=` }
  }
  if (typed.startsWith('-')) return { wanted: { words: flagsOf(command) }, typed, before: '' }
  const names = visible(command)
  if (names.length > 0 && places === 0) return { wanted: { words: names }, typed, before: '' }
  return { wanted: { value: `${command.name()} ${places}` }, typed, before: '' }
}

/** The option of that name, if it takes a value. */
function valued(command: Command, flag: string): Option | undefined {
  return command.options.find(
    (option) => (option.required || option.optional) && (option.long === flag || option.short === flag),
  )
}

function flagsOf(command: Command): string[] {
  return [...command.options.flatMap(({ long }) => long ?? []), '--help']
}

/** The names of its commands, but for those that nobody types. */
function visible(command: Command): string[] {
  const shown = new Set(command.createHelp().visibleCommands(command))
  return command.commands.filter((it) => shown.has(it)).map((it) => it.name())
}

function keyOf({ long, short }: Option): string {
  return (long ?? short ?? '').replace(/^-+/, '')
}
