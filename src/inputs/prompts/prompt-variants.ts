import type { WeightedVariant } from '../../core/request/pick-variant.ts'
import type { Prompt } from '../../core/request/render-prompt.ts'
import { CommandLineError } from '../../errors.ts'
import { checkVars, findPrompt, type PromptOptions } from './load-prompt.ts'

/**
 * Returns the prompts of a run: one, or several with weights, as in `summarize@v1=90,v2=10`. A version
 * without a name belongs to the prompt before it.
 * @throws UsageError for a prompt that cannot be used; CommandLineError
 */
export async function loadPromptVariants(
  spec: string,
  options: PromptOptions,
): Promise<readonly WeightedVariant<Prompt>[]> {
  const variants: WeightedVariant<Prompt>[] = []
  for (const { spec: variantSpec, weight } of parseWeights(spec)) {
    const prompt = await findPrompt(variantSpec, options)
    if (
      variants.some(
        (variant) => variant.value.name === prompt.name && variant.value.version === prompt.version,
      )
    )
      throw new CommandLineError(`--prompt ${spec}: ${prompt.name}@${prompt.version} occurs twice`)
    variants.push({ value: prompt, weight })
  }
  checkVars(
    variants.map(({ value }) => value),
    options,
  )
  return variants
}

function parseWeights(spec: string): { spec: string; weight: number }[] {
  if (!/@v\d+=/.test(spec)) return [{ spec, weight: 1 }]
  let name = ''
  return spec.split(',').map((part) => {
    const [, ownName, version, digits] = /^(?:(.+)@)?(v\d+)=(\d+(?:\.\d+)?)$/.exec(part.trim()) ?? []
    name = ownName ?? name
    const weight = Number(digits)
    if (name === '' || !(weight > 0))
      throw new CommandLineError(
        `--prompt ${spec}: expected versions with weights, like summarize@v1=90,v2=10`,
      )
    return { spec: `${name}@${version}`, weight }
  })
}
