import { compareFlags } from '../config/compare-flags.ts'
import { summarizeFlags } from '../config/flags.ts'
import { byKey } from '../config/key.ts'
import { serveFlags } from '../config/serve-flags.ts'
import { simulateFlags } from '../config/simulate-flags.ts'
import { knownModels } from '../core/pricing/models.ts'
import { readPrompts } from '../inputs/prompts/load-prompt.ts'
import { allPlaces } from '../inputs/prompts/prompt-lookup.ts'
import type { World } from '../runtime.ts'
import { shells } from './completion.ts'

/**
 * The words that may stand for an option's value or an argument; none where it is a file, which shells know best.
 * @param value the option's name without dashes, or a command's and the place of its argument: `pin 0`
 */
export async function wordsFor(value: string, world: Pick<World, 'cwd' | 'env'>): Promise<readonly string[]> {
  switch (value) {
    case 'judge':
    case 'model':
    case 'models':
      return knownModels
    case 'prompt':
    case 'prompts':
    case 'show 0':
    case 'check 0':
    case 'pin 0':
    case 'diff 0':
    case 'diff 1':
      return promptNames(world.cwd)
    case 'completion 0':
      return Object.keys(shells)
    case 'profile':
      return profileNames(world)
    default:
      return (
        byKey(simulateFlags, serveFlags, compareFlags, summarizeFlags).get(value)?.parse?.schema.enum ?? []
      )
  }
}

async function promptNames(cwd: string): Promise<string[]> {
  const names: string[] = []
  for (const place of await allPlaces(cwd)) {
    if (names.includes(place.name)) continue
    const { prompts } = await readPrompts(place).catch(() => ({ prompts: [] }))
    names.push(place.name, ...prompts.map(({ version }) => `${place.name}@${version}`))
  }
  return names
}

async function profileNames({ cwd, env }: Pick<World, 'cwd' | 'env'>): Promise<string[]> {
  const [{ locateConfig }, { readConfig }] = await Promise.all([
    import('../config/locate.ts'),
    import('../config/read-config.ts'),
  ])
  // The owner of a file does not matter here: nothing but names is used.
  const located = await locateConfig({ cwd, env, inputRoots: [], uid: undefined, passedOver: () => {} })
  const known = byKey(compareFlags, serveFlags, summarizeFlags)
  const files = await Promise.all(located.map((one) => readConfig(one, known, cwd)))
  return [...new Set(files.flatMap(({ profiles }) => [...profiles.keys()]))]
}
