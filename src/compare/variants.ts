import type { CompareOptions } from '../config/compare-flags.ts'
import { UsageError } from '../errors.ts'
import type { PlaceOptions } from '../inputs/prompts/prompt-lookup.ts'
import { type Asking, askingFor } from '../run/request-builder.ts'

/** One way of several that the same documents go. */
export interface Arm {
  /** For people: `summarize@v1, claude-haiku-5-5`. */
  readonly name: string
  /** Where its summaries go, below the comparison's folder. */
  readonly folder: string
  readonly asking: Asking
}

/**
 * Every prompt with every model.
 * @throws UsageError where one is not there, or where there is nothing to compare
 */
export async function armsOf(
  options: Pick<
    CompareOptions,
    'prompts' | 'models' | 'var' | 'maxTokens' | 'effort' | 'encoding' | 'pdf' | 'chunkTokens'
  >,
  places: PlaceOptions,
  endpoint: string,
): Promise<readonly Arm[]> {
  const arms: Arm[] = []
  for (const prompt of listed(options.prompts)) {
    for (const model of options.models === undefined ? [undefined] : listed(options.models)) {
      const asking = (
        await askingFor(
          { ...options, prompt, model, schema: undefined, language: undefined, words: undefined },
          places,
        )
      )(endpoint)
      const name = `${asking.prompt}, ${asking.model}`
      if (arms.some((arm) => arm.name === name)) throw new UsageError(`${name} would be compared with itself`)
      arms.push({ name, folder: folderName(`${asking.prompt}+${asking.model}`), asking })
    }
  }
  if (arms.length < 2)
    throw new UsageError(
      'there is nothing to compare; give several --prompts, or several --models, with commas',
    )
  return arms
}

/** A name that file systems take, of a prompt and a model. */
export function folderName(name: string): string {
  return name.replace(/[^\w.@+-]/g, '_')
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
