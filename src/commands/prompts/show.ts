import { resolve } from 'node:path'
import type { PromptsShowOptions } from '../../config/prompts-show-flags.ts'
import { toDocumentPath } from '../../core/document/document-path.ts'
import { defaultMaxTokens, defaultModel, findModel, resolveModelAlias } from '../../core/pricing/models.ts'
import { builtinPlaceholders, type Prompt, renderPrompt } from '../../core/request/render-prompt.ts'
import { type CitableDocument, countPromptCharacters } from '../../core/request/request.ts'
import { formatTemplate, listPlaceholders } from '../../core/request/template.ts'
import { type Exit, ExitError, UsageError } from '../../errors.ts'
import { readPromptFile, selectVersion, splitPromptSpec } from '../../inputs/prompts/load-prompt.ts'
import { locatePrompt } from '../../inputs/prompts/prompt-lookup.ts'
import { createDocumentReader, type ReadDocument } from '../../inputs/read/read-document.ts'
import type { Runtime } from '../../runtime.ts'
import { printMessage } from '../../ui/print-message.ts'

/**
 * Prints one version of a prompt: as written, or with `--file` as it would be sent for a document.
 * @throws UsageError
 */
export async function showPrompt(
  spec: string,
  { file, encoding, var: vars = {} }: PromptsShowOptions,
  runtime: Runtime,
): Promise<Exit> {
  const { cwd, stdout } = runtime
  const { target, version } = splitPromptSpec(spec)
  const place = await locatePrompt(target, { cwd, inputRoots: [] })
  const prompt = selectVersion(spec, version, await readPromptFile(place, { spec }))
  stdout.write(
    file === undefined
      ? formatPrompt(prompt)
      : await renderForDocument(prompt, file, vars, createDocumentReader({ ...runtime, encoding }), runtime),
  )
  printMessage(runtime, `${prompt.name}@${prompt.version} (${prompt.why}, ${place.origin})`)
  return 'ok'
}

/** Returns a prompt as text, in sections with headers. `prompts diff` compares these texts. */
export function formatPrompt({
  description,
  model,
  maxTokens,
  effort,
  system,
  user,
  schema,
  citations,
}: Prompt): string {
  const fields = { description, model, max_tokens: maxTokens, effort, citations }
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  )
  if (system !== undefined) lines.push('', '--- system', formatTemplate(system).trimEnd())
  lines.push('', '--- user', formatTemplate(user).trimEnd())
  if (schema !== undefined) lines.push('', '--- schema', JSON.stringify(schema, null, 2))
  return `${lines.join('\n').trim()}\n`
}

async function renderForDocument(
  prompt: Prompt,
  file: string,
  vars: Readonly<Record<string, string>>,
  read: ReadDocument,
  { cwd }: Runtime,
): Promise<string> {
  const missing = [...listPlaceholders(prompt.user), ...listPlaceholders(prompt.system ?? [])].find(
    (placeholder) =>
      !builtinPlaceholders.some((name) => name === placeholder) && !Object.hasOwn(vars, placeholder),
  )
  if (missing !== undefined)
    throw new UsageError(`the prompt has a placeholder {${missing}}; set it with --var ${missing}=…`)
  const path = toDocumentPath(resolve(cwd, file), cwd)
  const document = await read({ index: 0, path, namedByUser: true })
  if ('action' in document) {
    const message = document.type === 'vanished' ? 'no such file' : document.message
    throw new ExitError('noInput', `${file}: ${message}`)
  }
  const messages = renderPrompt(prompt, document, vars)
  const { system, user, citable } = messages
  const characters = countPromptCharacters(messages)
  const charsPerToken = findModel(resolveModelAlias(prompt.model ?? defaultModel))?.charsPerToken ?? 2.5
  const sections = [
    ...(system === undefined ? [] : [`--- system\n${system.trimEnd()}\n`]),
    ...(citable === undefined ? [`--- user\n${user.trimEnd()}\n`] : formatCitable(user, citable)),
    `--- about ${Math.ceil(characters / charsPerToken)} tokens in, at most ${prompt.maxTokens ?? defaultMaxTokens} out`,
  ]
  return `${sections.join('\n')}\n`
}

/** Returns the sections of a document that is sent as a block between the texts of the prompt. */
function formatCitable(user: string, { text, offset }: CitableDocument): readonly string[] {
  const sections = [
    ['user', user.slice(0, offset)],
    ['document with citations', text ?? 'the attached PDF'],
    ['user', user.slice(offset)],
  ] as const
  return sections.flatMap(([name, text]) => (text.trim() === '' ? [] : [`--- ${name}\n${text.trimEnd()}\n`]))
}
