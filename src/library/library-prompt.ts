import { resolve } from 'node:path'
import type { Prompt } from '../core/request/render-prompt.ts'
import type { Template } from '../core/request/template.ts'
import { UsageError } from '../errors.ts'
import { createLibraryRuntime } from '../runtime.ts'
import { toPublicError } from './library-error.ts'

export interface LoadPromptOptions {
  /** Texts for the placeholders that the prompt adds to the built-in ones. */
  readonly vars?: Readonly<Record<string, string>> | undefined
  /** Where `prompts/` and relative paths are looked for. Default: the working directory. */
  readonly cwd?: string | undefined
}

/**
 * Loads one version of a prompt: `summarize`, `summarize@v1`, `./mine.yaml`, `./mine.yaml@v2`. A name is looked for in
 * `prompts/` below the working directory, then among those that come with the package; without a version it is the
 * one the file pins, or the latest. The values of `vars` are part of the prompt from then on.
 * @throws ClaudeBatchError of type `configuration` that names the file and the line, or the placeholder without a value
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
        `prompt ${spec}: it has a schema, which only the command line knows; use another version`,
      )
    return { ...prompt, user: fillSlots(user, vars), ...(system && { system: fillSlots(system, vars) }) }
  } catch (error) {
    throw toPublicError(error)
  }
}

/** Replaces placeholders by their values; nothing inside a value is read as a placeholder. */
function fillSlots(template: Template, vars: Readonly<Record<string, string>>): Template {
  return template.map((part) =>
    typeof part !== 'string' && Object.hasOwn(vars, part.slot) ? (vars[part.slot] ?? '') : part,
  )
}
