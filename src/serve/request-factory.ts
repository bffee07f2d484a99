import { hash } from 'node:crypto'
import { settingsOf } from '../config/model-settings.ts'
import type { ServeOptions } from '../config/serve-flags.ts'
import { buildRequest } from '../core/request/build-request.ts'
import { renderPrompt } from '../core/request/prompt.ts'
import { parametersFor, type Request } from '../core/request/request.ts'
import { printable } from '../core/text/escape-control.ts'
import { UsageError } from '../errors.ts'
import { loadPrompt } from '../inputs/prompts/load-prompt.ts'
import type { World } from '../runtime.ts'
import { type Question, QuestionError } from './question.ts'

/**
 * Makes requests of questions. Prompts are read anew for each, so that a pin in a prompt's file takes effect with the
 * next one.
 * @throws UsageError where the prompt for texts that name none cannot be used
 */
export async function questionsFor(
  options: ServeOptions,
  { cwd, stderr }: World,
  endpoint: string,
): Promise<(question: Question) => Promise<Request>> {
  let count = 0
  const load = async (spec: string) => {
    const prompt = await loadPrompt(spec, { cwd, inputRoots: [], vars: [] })
    if (prompt.schema !== undefined)
      throw new UsageError(
        `--prompt ${spec}: it has a schema, and what is served is text; use another version`,
      )
    return prompt
  }
  await load(options.prompt)

  const asked = async (question: Question) => {
    if (!('text' in question)) return { ...parametersFor(settingsOf({}, options)), user: question.prompt }
    const prompt = await load(question.prompt ?? options.prompt)
    const { text } = question
    const bytes = { size: Buffer.byteLength(text), sha256: hash('sha256', text) }
    const document = { source: { index: 0, path: 'text', named: true }, text, bytes }
    return { ...parametersFor(settingsOf(prompt, options)), ...renderPrompt(prompt, document, {}) }
  }
  return async (question) => {
    const path = `stream/${++count}`
    try {
      return buildRequest(await asked(question), path, endpoint)
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      // It names files of this machine, which are none of the client's business.
      stderr.write(`claude-batch: ${path}: ${printable(error.message)}\n`)
      throw new QuestionError(`the prompt ${JSON.stringify(question.prompt)} cannot be used here`)
    }
  }
}
