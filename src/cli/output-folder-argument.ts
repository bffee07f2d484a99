import { defaultOutputFolder } from '../config/flags/output-flags.ts'
import type { ArgumentSpec } from './command-spec.ts'

/** The argument of commands about one output folder. */
export const outputFolderArgument: ArgumentSpec = {
  syntax: '[dir]',
  help: 'output folder',
  default: defaultOutputFolder,
}
