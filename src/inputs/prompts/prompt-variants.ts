import type { WeightedVariant } from '../../core/request/pick-variant.ts'
import type { Prompt } from '../../core/request/render-prompt.ts'
import { UsageError } from '../../errors.ts'
import { checkVars, findPrompt, type PromptOptions } from './load-prompt.ts'

/**
 * Returns the prompts of a run: one, or several with weights, as in `summarize@v1=90,v2=10`. A version
 * without a name belongs to the prompt before it.
 * @throws UsageError
 */
export async function loadPromptVariants(
  spec: string,
  options: PromptOptions,
): Promise<readonly WeightedVariant<Prompt>[]> {
  const variants: WeightedVariant<Prompt>[] = []
  for (const { spec: one, share } of parseWeights(spec)) {
    const prompt = await findPrompt(one, options)
    if (
      variants.some(
        (variant) => variant.value.name === prompt.name && variant.value.version === prompt.version,
      )
    )
      throw new UsageError(`--prompt ${spec}: ${prompt.name}@${prompt.version} occurs twice`)
    variants.push({ value: prompt, weight: share })
  }
  checkVars(
    variants.map(({ value }) => value),
    options,
  )
  return variants
}

function parseWeights(spec: string): { spec: string; share: number }[] {
  if (!/@v\d+=/.test(spec)) return [{ spec, share: 1 }]
  let name = ''
  return spec.split(',').map((part) => {
    const [, ownName, version, digits] = /^(?:(.+)@)?(v\d+)=(\d+(?:\.\d+)?)$/.exec(part.trim()) ?? []
    name = ownName ?? name
    const share = Number(digits)
    if (name === '' || !(share > 0))
      throw new UsageError(`--prompt ${spec}: expected versions with shares, like summarize@v1=90,v2=10`)
    return { spec: `${name}@${version}`, share }
  })
}
