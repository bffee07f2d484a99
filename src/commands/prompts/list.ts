import type { Exit } from '../../errors.ts'
import { readPromptFile } from '../../inputs/prompts/load-prompt.ts'
import { listPromptLocations } from '../../inputs/prompts/prompt-lookup.ts'
import type { Runtime } from '../../runtime.ts'
import { formatTable } from '../../ui/text-table.ts'

/** Prints all prompts with their versions, the version in use and its reason, and their files. */
export async function listPrompts({ cwd, stdout }: Runtime): Promise<Exit> {
  const rows = [['NAME', 'USED', 'VERSIONS', 'FROM', '']]
  const seen = new Set<string>()
  for (const place of await listPromptLocations(cwd)) {
    const isHidden = seen.has(place.name)
    seen.add(place.name)
    const result = await readPromptFile(place).catch((error: Error) => error)
    if (result instanceof Error) {
      rows.push([place.name, '–', '–', place.origin, `cannot be used: ${result.message}`])
      continue
    }
    const used = result.prompts.find(({ version }) => version === result.default)
    const usedVersion = isHidden ? '–' : `${result.default} (${result.isPinned ? 'pinned' : 'latest'})`
    const versions = result.prompts.map(({ version }) => version).join(' ')
    const description = isHidden ? 'overridden by your prompt of that name' : (used?.description ?? '')
    rows.push([place.name, usedVersion, versions, place.origin, description])
  }
  stdout.write(formatTable(rows))
  return 'ok'
}
