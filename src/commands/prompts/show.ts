import { resolve } from 'node:path'
import type { ShowOptions } from '../../config/prompt-flags.ts'
import { sourcePath } from '../../core/document/document-path.ts'
import { defaultModel, findModel, modelId } from '../../core/pricing/models.ts'
import { type Prompt, renderPrompt } from '../../core/request/prompt.ts'
import { slotsOf, templateText } from '../../core/request/template.ts'
import { printable } from '../../core/text/escape-control.ts'
import { type Exit, RunError, UsageError } from '../../errors.ts'
import { chosen, parts, readPrompts } from '../../inputs/prompts/load-prompt.ts'
import { placeOf } from '../../inputs/prompts/prompt-lookup.ts'
import { type Read, reader } from '../../inputs/read/read.ts'
import type { World } from '../../runtime.ts'

/** Shows one version of a prompt: as it is written, or as it would be sent for a document. */
export async function showPrompt(
  spec: string,
  { file, encoding, var: vars = {} }: ShowOptions,
  world: World,
): Promise<Exit> {
  const { cwd, stdout, stderr } = world
  const { target, version } = parts(spec)
  const place = await placeOf(target, { cwd, inputRoots: [] })
  const prompt = chosen(spec, version, await readPrompts(place, { spec }))
  stdout.write(
    file === undefined
      ? written(prompt)
      : await rendered(prompt, file, vars, reader({ ...world, encoding }), world),
  )
  stderr.write(`${prompt.name}@${prompt.version} (${prompt.why}), from ${printable(place.origin)}\n`)
  return 'ok'
}

/** As text, in parts with headers; also what two versions are compared by. */
export function written({ description, model, maxTokens, effort, system, user, schema }: Prompt): string {
  const fields = { description, model, max_tokens: maxTokens, effort }
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  )
  if (system !== undefined) lines.push('', '--- system', templateText(system).trimEnd())
  lines.push('', '--- user', templateText(user).trimEnd())
  if (schema !== undefined) lines.push('', '--- schema', JSON.stringify(schema, null, 2))
  return `${lines.join('\n').trim()}\n`
}

async function rendered(
  prompt: Prompt,
  file: string,
  vars: Readonly<Record<string, string>>,
  read: Read,
  { cwd }: World,
): Promise<string> {
  const missing = [...slotsOf(prompt.user), ...slotsOf(prompt.system ?? [])].find(
    (slot) => !['text', 'path', 'name', 'title'].includes(slot) && !Object.hasOwn(vars, slot),
  )
  if (missing !== undefined) throw new UsageError(`it has a slot {${missing}}; give --var ${missing}=…`)
  const path = sourcePath(resolve(cwd, file), cwd)
  const document = await read({ index: 0, path, named: true })
  if ('as' in document) throw new RunError('noInput', `${file}: ${document.message}`)
  const { system, user } = renderPrompt(prompt, document, vars)
  const characters = (system?.length ?? 0) + user.length
  const perToken = findModel(modelId(prompt.model ?? defaultModel))?.charsPerToken ?? 2.5
  const parts = [
    ...(system === undefined ? [] : [`--- system\n${system.trimEnd()}\n`]),
    `--- user\n${user.trimEnd()}\n`,
    `--- about ${Math.ceil(characters / perToken)} tokens in, at most ${prompt.maxTokens ?? 1024} out`,
  ]
  return `${parts.join('\n')}\n`
}
