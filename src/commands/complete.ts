import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { compareFlags } from '../config/compare-flags.ts'
import { summarizeFlags } from '../config/flags.ts'
import { byKey } from '../config/key.ts'
import { serveFlags } from '../config/serve-flags.ts'
import { simulateFlags } from '../config/simulate-flags.ts'
import { knownModels } from '../core/models.ts'
import { readPrompts } from '../inputs/prompt.ts'
import { allPlaces } from '../inputs/prompt-place.ts'
import { shells } from './completion.ts'

/**
 * The words that may stand for an option's value or an argument; none where it is a file, which shells know best.
 * @param value the option's name without dashes, or a command's and the place of its argument: `pin 0`
 */
export async function wordsFor(value: string, cwd: string): Promise<readonly string[]> {
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
      return promptNames(cwd)
    case 'completion 0':
      return Object.keys(shells)
    case 'profile':
      return profileNames(cwd)
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

async function profileNames(cwd: string): Promise<string[]> {
  const [{ locateConfig }, { parseConfig }, { readFile }] = await Promise.all([
    import('../config/locate.ts'),
    import('../config/file.ts'),
    import('node:fs/promises'),
  ])
  // Whose file it is was not asked here: nothing of it is used.
  const file = await locateConfig({ cwd, inputRoots: [], uid: undefined, passedOver: () => {} })
  if (file === undefined || (await stat(resolve(file))).size > 1_000_000) return []
  const known = byKey(compareFlags, serveFlags, summarizeFlags)
  return [...parseConfig(await readFile(file, 'utf8'), file, known, (path) => path).profiles.keys()]
}
