import { resolve } from 'node:path'
import { createLibraryRuntime } from '../runtime.ts'
import { checkNames, checkVars } from './check-arguments.ts'
import type { Prompt } from './define-prompt.ts'
import { fillSlots } from './fill-slots.ts'
import { toPublicError } from './library-error.ts'

/** Options of `loadPrompt`; all are optional. */
export interface LoadPromptOptions {
  /** Values for the placeholders that the prompt defines in addition to the built-in ones. */
  readonly vars?: Readonly<Record<string, string>> | undefined
  /** The folder in which `prompts/` and relative paths are resolved. Default: the working directory. */
  readonly cwd?: string | undefined
}

/**
 * Loads one version of a prompt: `summarize`, `summarize@v1`, `./mine.yaml`, `./mine.yaml@v2`. A name is
 * looked up in `prompts/` in the working directory, then among the built-in prompts. Without a version, it
 * loads the version that the file pins, or the latest. The values of `vars` become part of the prompt.
 * `loadPrompt<Data>(…)` sets the type of the data that the schema of the prompt describes.
 * @param spec the name of a prompt, or the path of a file, and a version
 * @param options values for placeholders, and the folder
 * @throws ClaudeBatchError of type `configuration` that names the file and the line, or the placeholder
 * without a value
 * @throws TypeError that names an invalid argument
 */
export async function loadPrompt<Data = unknown>(
  spec: string,
  options: LoadPromptOptions = {},
): Promise<Prompt<Data>> {
  const caller = 'loadPrompt'
  if (typeof spec !== 'string' || spec === '')
    throw new TypeError(`${caller}: expected the name of a prompt, or the path of a file`)
  checkNames(caller, options, ['vars', 'cwd'])
  const { vars = {}, cwd = '.' } = options
  checkVars(caller, vars)
  if (typeof cwd !== 'string') throw new TypeError(`${caller}: cwd must be the path of a folder`)
  const promptLoader = await import('../inputs/prompts/load-prompt.ts')
  try {
    const prompt = await promptLoader.loadPrompt(spec, {
      cwd: resolve(createLibraryRuntime().cwd, cwd),
      inputRoots: [],
      vars: Object.keys(vars),
      varSetting: 'vars:',
    })
    return fillSlots(prompt, vars)
  } catch (error) {
    throw toPublicError(error)
  }
}
