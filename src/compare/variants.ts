import type { CompareOptions } from '../config/compare-flags.ts'
import { CommandLineError } from '../errors.ts'
import type { PromptLookupOptions } from '../inputs/prompts/prompt-lookup.ts'
import { loadRequestBuilder, type PromptChoice, type RequestBuilder } from '../run/request-builder.ts'

/** One way of several that the same documents go. */
export interface ComparedVariant {
  /** For people: `summarize@v1, claude-haiku-5-5`. */
  readonly name: string
  /** Where its summaries go, below the comparison's folder. */
  readonly folder: string
  readonly promptChoice: PromptChoice
  readonly requestBuilder: RequestBuilder
}

/**
 * Every prompt with every model.
 * @throws UsageError where one is not there, or where there is nothing to compare
 */
export async function loadVariants(
  options: Pick<
    CompareOptions,
    'prompts' | 'models' | 'var' | 'maxTokens' | 'effort' | 'encoding' | 'pdf' | 'chunkTokens' | 'simulate'
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
        throw new CommandLineError(`${name} would be compared with itself`)
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

/** A name that file systems take, of a prompt and a model. */
export function toFolderName(name: string): string {
  return name.replace(/[^\w.@+-]/g, '_')
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
