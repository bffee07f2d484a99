import { hash } from 'node:crypto'
import { resolveModelSettings } from '../config/model-settings.ts'
import type { ServeOptions } from '../config/serve-flags.ts'
import { buildRequest } from '../core/request/build-request.ts'
import { renderPrompt } from '../core/request/render-prompt.ts'
import { chooseParameters, type Request } from '../core/request/request.ts'
import { UsageError } from '../errors.ts'
import { loadPrompt } from '../inputs/prompts/load-prompt.ts'
import { getProviderName } from '../run/provider.ts'
import type { Runtime } from '../runtime.ts'
import { printMessage } from '../ui/print-message.ts'
import { type Question, QuestionError } from './parse-question.ts'

/** A request and where it comes from. */
export interface StreamRequest extends Request {
  /** The prompt with its version; undefined for a text that is sent unchanged. */
  readonly promptName?: string
}

/**
 * Returns a function that builds the request for a question. It reads prompts from disk for each question, so
 * that a changed pin takes effect immediately.
 * @throws UsageError if the default prompt for texts cannot be used
 */
export async function createRequestFactory(
  options: ServeOptions,
  runtime: Pick<Runtime, 'cwd' | 'stderr'>,
): Promise<(question: Question) => Promise<StreamRequest>> {
  let count = 0
  const loadTextPrompt = async (spec: string) => {
    const prompt = await loadPrompt(spec, { cwd: runtime.cwd, inputRoots: [], vars: [] })
    if (prompt.citations)
      throw new UsageError(
        `--prompt ${spec}: the prompt asks for citations, but serve returns plain text; use another version`,
      )
    if (prompt.schema !== undefined)
      throw new UsageError(
        `--prompt ${spec}: the prompt has a schema, but serve returns plain text; use another version`,
      )
    return prompt
  }
  await loadTextPrompt(options.prompt)

  const toRequestFields = async (question: Question) => {
    if (!('text' in question))
      return {
        fields: { ...chooseParameters(resolveModelSettings({}, options)), user: question.prompt },
      }
    const prompt = await loadTextPrompt(question.prompt ?? options.prompt)
    const { text } = question
    const fingerprint = { size: Buffer.byteLength(text), sha256: hash('sha256', text) }
    const document = { ref: { index: 0, path: 'text', namedByUser: true }, text, fingerprint }
    return {
      promptName: `${prompt.name}@${prompt.version}`,
      fields: {
        ...chooseParameters(resolveModelSettings(prompt, options)),
        ...renderPrompt(prompt, document, {}),
      },
    }
  }
  return async (question) => {
    const path = `stream/${++count}`
    try {
      const { promptName, fields } = await toRequestFields(question)
      const request = buildRequest(fields, path, getProviderName(options))
      return promptName === undefined ? request : { ...request, promptName }
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      // The message may contain file names of this machine, so only the operator gets it.
      printMessage(runtime, `${path}: ${error.message}`)
      throw new QuestionError(`the prompt ${JSON.stringify(question.prompt)} cannot be used here`)
    }
  }
}
