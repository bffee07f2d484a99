import type { CompareOptions } from '../config/compare-flags.ts'
import { CommandLineError } from '../errors.ts'
import type { PromptLookupOptions } from '../inputs/prompts/prompt-lookup.ts'
import { loadRequestBuilder, type PromptChoice, type RequestBuilder } from '../run/request-builder.ts'

/** A prompt and a model that are compared with others on the same documents. */
export interface ComparedVariant {
  /** The display name: `summarize@v1, claude-haiku-5-5`. */
  readonly name: string
  /** The folder of its summaries, relative to the comparison's folder. */
  readonly folder: string
  readonly promptChoice: PromptChoice
  readonly requestBuilder: RequestBuilder
}

/**
 * Loads every combination of the prompts and models.
 * @throws UsageError if a prompt does not exist, or if there are fewer than two variants
 */
export async function loadVariants(
  options: Pick<
    CompareOptions,
    | 'prompts'
    | 'models'
    | 'var'
    | 'citations'
    | 'maxTokens'
    | 'effort'
    | 'encoding'
    | 'pdf'
    | 'chunkTokens'
    | 'simulate'
    | 'provider'
  >,
  lookup: PromptLookupOptions,
): Promise<readonly ComparedVariant[]> {
  const variants: ComparedVariant[] = []
  for (const prompt of splitList(options.prompts)) {
    for (const model of options.models === undefined ? [undefined] : splitList(options.models)) {
      const { promptChoice, requestBuilder } = await loadRequestBuilder(
        { ...options, prompt, model, schema: undefined, language: undefined, words: undefined },
        lookup,
      )
      const name = `${promptChoice.prompt}, ${promptChoice.model}`
      if (variants.some((variant) => variant.name === name))
        throw new CommandLineError(`${name} is listed twice; remove one of the two`)
      variants.push({
        name,
        folder: toFolderName(`${promptChoice.prompt}+${promptChoice.model}`),
        promptChoice,
        requestBuilder,
      })
    }
  }
  if (variants.length < 2)
    throw new CommandLineError(
      'nothing to compare; give several --prompts or several --models, separated by commas',
    )
  return variants
}

/** Replaces characters that are not safe in folder names. @param name of a prompt and a model */
export function toFolderName(name: string): string {
  return name.replace(/[^\w.@+-]/g, '_')
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
