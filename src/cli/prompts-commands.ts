import { type PromptsShowOptions, promptsShowFlags } from '../config/prompts-show-flags.ts'
import type { CommandSpec } from './command-spec.ts'

/** The subcommands of `prompts`. */
export const promptsCommands: readonly CommandSpec[] = [
  {
    name: 'list',
    description: 'list the available prompts, with the version in use and the reason',
    async run(_args: [], _options: object, { runtime }) {
      const { listPrompts } = await import('../commands/prompts/list.ts')
      return listPrompts(runtime)
    },
  },
  {
    name: 'show',
    description: 'print one version of a prompt, as written or as sent for a document',
    arguments: [{ syntax: '<prompt>', help: 'name, name@v1 or a file' }],
    flags: promptsShowFlags,
    async run([spec]: [string], options: PromptsShowOptions, { runtime }) {
      const { showPrompt } = await import('../commands/prompts/show.ts')
      return showPrompt(spec, options, runtime)
    },
  },
  {
    name: 'diff',
    description: 'diff two prompt versions; with one argument, against the version in use',
    arguments: [
      { syntax: '<from>', help: 'name@v1' },
      { syntax: '[to]', help: 'name@v2 or v2' },
    ],
    async run([from, to]: [string, string | undefined], _options: object, { runtime }) {
      const { diffPrompts } = await import('../commands/prompts/diff.ts')
      return diffPrompts(from, to, runtime)
    },
  },
  {
    name: 'check',
    description: 'check prompts for mistakes (exit 1 if there are any)',
    arguments: [{ syntax: '[prompts...]', help: 'names or files (default: all prompts)' }],
    async run([names]: [string[]], _options: object, { runtime }) {
      const { checkPrompts } = await import('../commands/prompts/check.ts')
      return checkPrompts(names, runtime)
    },
  },
  {
    name: 'pin',
    description: 'use this version from now on; without a version, use the latest again',
    arguments: [{ syntax: '<prompt>', help: 'name@v1 or name' }],
    async run([spec]: [string], _options: object, { runtime }) {
      const { pinPrompt } = await import('../commands/prompts/pin.ts')
      return pinPrompt(spec, runtime)
    },
  },
]
