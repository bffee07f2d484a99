import { hash } from 'node:crypto'
import type { ServeOptions } from '../config/serve-flags.ts'
import { buildRequest } from '../core/build-request.ts'
import { printable } from '../core/printable.ts'
import { renderPrompt } from '../core/prompt.ts'
import { parametersFor, type Request } from '../core/request.ts'
import { UsageError } from '../errors.ts'
import { loadPrompt } from '../inputs/prompt.ts'
import { type Question, QuestionError } from '../server/question.ts'
import type { World } from '../world.ts'
import { settingsOf } from './settings.ts'

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
