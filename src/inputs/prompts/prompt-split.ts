import type { Prompt } from '../../core/request/prompt.ts'
import type { Arm } from '../../core/request/traffic-split.ts'
import { UsageError } from '../../errors.ts'
import { checkVars, findPrompt, type PromptOptions } from './load-prompt.ts'

/**
 * Finds the prompts of a run: one, or with shares several, as in `summarize@v1=90,v2=10`, where a name that is left out
 * is the one before.
 * @throws UsageError
 */
export async function loadPrompts(spec: string, options: PromptOptions): Promise<readonly Arm<Prompt>[]> {
  const arms: Arm<Prompt>[] = []
  for (const { spec: one, share } of sharesIn(spec)) {
    const way = await findPrompt(one, options)
    if (arms.some((arm) => arm.way.name === way.name && arm.way.version === way.version))
      throw new UsageError(`--prompt ${spec}: ${way.name}@${way.version} is there twice`)
    arms.push({ way, share })
  }
  checkVars(
    arms.map(({ way }) => way),
    options.vars,
  )
  return arms
}

function sharesIn(spec: string): { spec: string; share: number }[] {
  if (!/@v\d+=/.test(spec)) return [{ spec, share: 1 }]
  let name = ''
  return spec.split(',').map((part) => {
    const [, own, version, digits] = /^(?:(.+)@)?(v\d+)=(\d+(?:\.\d+)?)$/.exec(part.trim()) ?? []
    name = own ?? name
    const share = Number(digits)
    if (name === '' || !(share > 0))
      throw new UsageError(`--prompt ${spec}: expected versions with shares, like summarize@v1=90,v2=10`)
    return { spec: `${name}@${version}`, share }
  })
}
