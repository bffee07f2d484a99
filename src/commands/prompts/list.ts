import type { Exit } from '../../errors.ts'
import { readPrompts } from '../../inputs/prompts/load-prompt.ts'
import { allPlaces } from '../../inputs/prompts/prompt-lookup.ts'
import type { World } from '../../runtime.ts'
import { textTable } from '../../ui/table.ts'

/** Lists the prompts there are: their versions, which one is used and why, and where they come from. */
export async function listPrompts({ cwd, stdout }: World): Promise<Exit> {
  const rows = [['NAME', 'USED', 'VERSIONS', 'FROM', '']]
  const seen = new Set<string>()
  for (const place of await allPlaces(cwd)) {
    const hidden = seen.has(place.name)
    seen.add(place.name)
    const read = await readPrompts(place).catch((error: Error) => error)
    if (read instanceof Error) {
      rows.push([place.name, '–', '–', place.origin, `cannot be used: ${read.message}`])
      continue
    }
    const used = read.prompts.find(({ version }) => version === read.default)
    const use = hidden ? '–' : `${read.default} (${read.pinned ? 'pinned' : 'latest'})`
    const versions = read.prompts.map(({ version }) => version).join(' ')
    const about = hidden ? 'hidden by your own of that name' : (used?.description ?? '')
    rows.push([place.name, use, versions, place.origin, about])
  }
  stdout.write(textTable(rows))
  return 'ok'
}
