import { resolve } from 'node:path'
import type { Prompt } from '../core/request/render-prompt.ts'
import type { Template } from '../core/request/template.ts'
import { UsageError } from '../errors.ts'
import { createLibraryRuntime } from '../runtime.ts'
import { toPublicError } from './library-error.ts'

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
 * @throws ClaudeBatchError of type `configuration` that names the file and the line, or the placeholder
 * without a value
 */
export async function loadPrompt(spec: string, options: LoadPromptOptions = {}): Promise<Prompt> {
  const { vars = {}, cwd } = options
  if (typeof spec !== 'string') throw new TypeError('expected the name of a prompt, or the path of a file')
  const invalidName = Object.keys(vars).find((name) => typeof vars[name] !== 'string')
  if (invalidName !== undefined) throw new TypeError(`vars: ${invalidName} must be a text`)
  const promptLoader = await import('../inputs/prompts/load-prompt.ts')
  try {
    const prompt = await promptLoader.loadPrompt(spec, {
      cwd: resolve(createLibraryRuntime().cwd, cwd ?? '.'),
      inputRoots: [],
      vars: Object.keys(vars),
      varSetting: 'vars:',
    })
    const { system, user, schema } = prompt
    if (schema !== undefined)
      throw new UsageError(
        `prompt ${spec} has a schema, which only the command line supports; use another version`,
      )
    return { ...prompt, user: fillSlots(user, vars), ...(system && { system: fillSlots(system, vars) }) }
  } catch (error) {
    throw toPublicError(error)
  }
}

/** Replaces placeholders with their values. Placeholders inside a value are not replaced. */
function fillSlots(template: Template, vars: Readonly<Record<string, string>>): Template {
  return template.map((part) =>
    typeof part !== 'string' && Object.hasOwn(vars, part.slot) ? (vars[part.slot] ?? '') : part,
  )
}
