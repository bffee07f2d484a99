import { compareFlags } from '../config/compare-flags.ts'
import { indexFlagsByKey } from '../config/flag-names.ts'
import { serveFlags } from '../config/serve-flags.ts'
import { simulateFlags } from '../config/simulate-flags.ts'
import { summarizeFlags } from '../config/summarize-flags.ts'
import { knownModelNames } from '../core/pricing/models.ts'
import { readPromptFile } from '../inputs/prompts/load-prompt.ts'
import { listPromptLocations } from '../inputs/prompts/prompt-lookup.ts'
import type { Runtime } from '../runtime.ts'
import { completionScripts } from './completion.ts'

/**
 * The words that may stand for an option's value or an argument; none where it is a file, which shells know best.
 * @param value the option's name without dashes, or a command's and the place of its argument: `pin 0`
 */
export async function listCandidates(
  value: string,
  runtime: Pick<Runtime, 'cwd' | 'env'>,
): Promise<readonly string[]> {
  switch (value) {
    case 'judge':
    case 'model':
    case 'models':
      return knownModelNames
    case 'prompt':
    case 'prompts':
    case 'show 0':
    case 'check 0':
    case 'pin 0':
    case 'diff 0':
    case 'diff 1':
      return listPromptNames(runtime.cwd)
    case 'completion 0':
      return Object.keys(completionScripts)
    case 'profile':
      return listProfileNames(runtime)
    default:
      return (
        indexFlagsByKey(simulateFlags, serveFlags, compareFlags, summarizeFlags).get(value)?.parse?.schema
          .enum ?? []
      )
  }
}

async function listPromptNames(cwd: string): Promise<string[]> {
  const names: string[] = []
  for (const place of await listPromptLocations(cwd)) {
    if (names.includes(place.name)) continue
    const { prompts } = await readPromptFile(place).catch(() => ({ prompts: [] }))
    names.push(place.name, ...prompts.map(({ version }) => `${place.name}@${version}`))
  }
  return names
}

async function listProfileNames({ cwd, env }: Pick<Runtime, 'cwd' | 'env'>): Promise<string[]> {
  const [{ locateConfig }, { readConfig }] = await Promise.all([
    import('../config/locate-config.ts'),
    import('../config/read-config.ts'),
  ])
  // The owner of a file does not matter here: nothing but names is used.
  const located = await locateConfig({ cwd, env, inputRoots: [], uid: undefined, onSkipped: () => {} })
  const known = indexFlagsByKey(compareFlags, serveFlags, summarizeFlags)
  const files = await Promise.all(located.map((file) => readConfig(file, known, cwd)))
  return [...new Set(files.flatMap(({ profiles }) => [...profiles.keys()]))]
}
