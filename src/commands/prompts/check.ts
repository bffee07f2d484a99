import { findModel, resolveModelAlias } from '../../core/pricing/models.ts'
import { builtinPlaceholders, judgePlaceholders, type Prompt } from '../../core/request/render-prompt.ts'
import { formatTemplate, listPlaceholders } from '../../core/request/template.ts'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { type Exit, UsageError } from '../../errors.ts'
import { readPromptFile } from '../../inputs/prompts/load-prompt.ts'
import { listPromptLocations, locatePrompt } from '../../inputs/prompts/prompt-lookup.ts'
import type { Runtime } from '../../runtime.ts'

/** Characters. A longer prompt costs more than a typical document. */
const longPromptChars = 20_000

/**
 * Checks all versions of prompts, and prints each error with file, line and column.
 * @param names prompts or files; empty for all prompts that can be used by name
 * @returns `failed` if a prompt has an error
 */
export async function checkPrompts(names: readonly string[], { cwd, stdout }: Runtime): Promise<Exit> {
  const places =
    names.length === 0
      ? await listPromptLocations(cwd)
      : await Promise.all(names.map((name) => locatePrompt(name, { cwd, inputRoots: [] })))
  const print = (text: string) => stdout.write(`${escapeControlChars(text)}\n`)
  let errorCount = 0
  for (const place of places) {
    try {
      const { prompts } = await readPromptFile(place)
      const notes = prompts.flatMap((prompt) => listNotes(prompt).map((note) => `${prompt.version}: ${note}`))
      print(`${place.origin === 'shipped' ? `${place.name}.yaml (shipped)` : place.origin}: ok`)
      for (const note of notes) print(`  ${note}`)
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      errorCount++
      print(error.message)
    }
  }
  return errorCount === 0 ? 'ok' : 'failed'
}

/** Returns hints that are not errors. */
function listNotes({ system = [], user, model }: Prompt): string[] {
  const notes: string[] = []
  const placeholders = new Set([...listPlaceholders(system), ...listPlaceholders(user)])
  const isJudgePrompt = judgePlaceholders.every((name) => placeholders.has(name))
  if (isJudgePrompt) notes.push('for compare --judge, which fills in its placeholders')
  for (const placeholder of placeholders) {
    if (isJudgePrompt && judgePlaceholders.some((name) => name === placeholder)) continue
    if (builtinPlaceholders.some((name) => name === placeholder)) continue
    notes.push(placeholder === 'instructions' ? 'needs --instructions …' : `needs --var ${placeholder}=…`)
  }
  if (model !== undefined && findModel(resolveModelAlias(model)) === undefined)
    notes.push(`the model ${model} is not in the price table; its cost will be unknown`)
  const length = formatTemplate(system).length + formatTemplate(user).length
  if (length > longPromptChars) notes.push(`has ${length} characters, sent with every document`)
  return notes
}
