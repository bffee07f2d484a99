import { findModel, resolveModelAlias } from '../../core/pricing/models.ts'
import { builtinPlaceholders, judgePlaceholders, type Prompt } from '../../core/request/render-prompt.ts'
import { formatTemplate, listPlaceholders } from '../../core/request/template.ts'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { type Exit, UsageError } from '../../errors.ts'
import { readPromptFile } from '../../inputs/prompts/load-prompt.ts'
import { listPromptLocations, locatePrompt } from '../../inputs/prompts/prompt-lookup.ts'
import type { Runtime } from '../../runtime.ts'

/** Longer than this a prompt costs more than many a document: characters. */
const longPromptChars = 20_000

/**
 * Checks prompts, all versions of each; without names, all that can be used by name.
 * @returns `failed` where one has a mistake, which stdout tells with file, line and column
 */
export async function checkPrompts(names: readonly string[], { cwd, stdout }: Runtime): Promise<Exit> {
  const places =
    names.length === 0
      ? await listPromptLocations(cwd)
      : await Promise.all(names.map((name) => locatePrompt(name, { cwd, inputRoots: [] })))
  const print = (text: string) => stdout.write(`${escapeControlChars(text)}\n`)
  let mistakes = 0
  for (const place of places) {
    try {
      const { prompts } = await readPromptFile(place)
      const notes = prompts.flatMap((prompt) => listNotes(prompt).map((note) => `${prompt.version}: ${note}`))
      print(`${place.origin === 'shipped' ? `${place.name}.yaml (shipped)` : place.origin}: ok`)
      for (const note of notes) print(`  ${note}`)
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      mistakes++
      print(error.message)
    }
  }
  return mistakes === 0 ? 'ok' : 'failed'
}

/** What is no mistake, and worth knowing. */
function listNotes({ system = [], user, model }: Prompt): string[] {
  const notes: string[] = []
  const slots = new Set([...listPlaceholders(system), ...listPlaceholders(user)])
  const isJudgePrompt = judgePlaceholders.every((slot) => slots.has(slot))
  if (isJudgePrompt) notes.push('for compare --judge, which fills in its placeholders')
  for (const slot of slots) {
    if (isJudgePrompt && judgePlaceholders.some((name) => name === slot)) continue
    if (!builtinPlaceholders.some((name) => name === slot)) notes.push(`needs --var ${slot}=…`)
  }
  if (model !== undefined && findModel(resolveModelAlias(model)) === undefined)
    notes.push(`the model ${model} is not in the price table; its cost will be unknown`)
  const length = formatTemplate(system).length + formatTemplate(user).length
  if (length > longPromptChars) notes.push(`has ${length} characters, sent with every document`)
  return notes
}
