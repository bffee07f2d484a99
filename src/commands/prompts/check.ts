import { findModel, modelId } from '../../core/pricing/models.ts'
import { builtinSlots, judgeSlots, type Prompt } from '../../core/request/prompt.ts'
import { slotsOf, templateText } from '../../core/request/template.ts'
import { printable } from '../../core/text/escape-control.ts'
import { type Exit, UsageError } from '../../errors.ts'
import { readPrompts } from '../../inputs/prompts/load-prompt.ts'
import { allPlaces, placeOf } from '../../inputs/prompts/prompt-lookup.ts'
import type { World } from '../../runtime.ts'

/** Longer than this a prompt costs more than many a document: characters. */
const long = 20_000

/**
 * Checks prompts, all versions of each; without names, all that can be used by name.
 * @returns `failed` where one has a mistake, which stdout tells with file, line and column
 */
export async function checkPrompts(names: readonly string[], { cwd, stdout }: World): Promise<Exit> {
  const places =
    names.length === 0
      ? await allPlaces(cwd)
      : await Promise.all(names.map((name) => placeOf(name, { cwd, inputRoots: [] })))
  const say = (text: string) => stdout.write(`${printable(text)}\n`)
  let mistakes = 0
  for (const place of places) {
    try {
      const { prompts } = await readPrompts(place)
      const notes = prompts.flatMap((prompt) => notesOn(prompt).map((note) => `${prompt.version}: ${note}`))
      say(`${place.origin === 'shipped' ? `${place.name}.yaml (shipped)` : place.origin}: ok`)
      for (const note of notes) say(`  ${note}`)
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      mistakes++
      say(error.message)
    }
  }
  return mistakes === 0 ? 'ok' : 'failed'
}

/** What is no mistake, and worth knowing. */
function notesOn({ system = [], user, model }: Prompt): string[] {
  const notes: string[] = []
  const slots = new Set([...slotsOf(system), ...slotsOf(user)])
  const judges = judgeSlots.every((slot) => slots.has(slot))
  if (judges) notes.push('for compare --judge, which fills its slots')
  for (const slot of slots) {
    if (judges && judgeSlots.some((name) => name === slot)) continue
    if (!builtinSlots.some((name) => name === slot)) notes.push(`needs --var ${slot}=…`)
  }
  if (model !== undefined && findModel(modelId(model)) === undefined)
    notes.push(`the model ${model} is in no table here: what it costs will be unknown`)
  const length = templateText(system).length + templateText(user).length
  if (length > long) notes.push(`has ${length} characters, which go with every document`)
  return notes
}
