import type { Command } from 'commander'

/** Returns the subcommands that the help of a command lists, without `help` itself. */
export function listVisibleCommands(command: Command): readonly Command[] {
  const visible = new Set(command.createHelp().visibleCommands(command))
  return command.commands.filter((subcommand) => visible.has(subcommand))
}

/**
 * Returns the names of all commands as a user types them, such as `prompts list`, each before its
 * subcommands.
 */
export function listCommandPaths(program: Command): readonly string[] {
  return listVisibleCommands(program).flatMap((command) => [
    command.name(),
    ...listCommandPaths(command).map((path) => `${command.name()} ${path}`),
  ])
}
