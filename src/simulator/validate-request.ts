import { type CitableDocument, type CitablePdf, readDocumentBlocks } from './document-blocks.ts'
import { countImageTokens } from './image-blocks.ts'
import { servedModels } from './served-models.ts'
import { findSchemaProblem } from './simulated-schema.ts'

/** A request that the API would accept. */
export interface MessageRequest {
  readonly model: string
  readonly max_tokens: number
  readonly stream: boolean
  /** All text of the system prompt and of the messages. */
  readonly text: string
  /** Text of the last message, which carries the document. */
  readonly lastText: string
  readonly inputTokens: number
  /** The JSON Schema that the answer must match. */
  readonly schema?: Readonly<Record<string, unknown>>
  /** The document that the answer must cite. */
  readonly citable?: CitableDocument
  /** The PDF that the answer must cite; see `readCitablePdf`. */
  readonly citablePdf?: CitablePdf
}

/** The API's error for a rejected request. */
export interface RejectedRequest {
  readonly status: number
  readonly type: string
  readonly message: string
}

/** Requests to `messages` need `max_tokens`; requests to `count_tokens` do not. */
type Endpoint = 'messages' | 'count_tokens'

/**
 * Validates a body as strictly as the API does under version 2026-10-21. Unknown fields, sampling parameters,
 * empty text and values that the model does not support are errors.
 * @see https://platform.claude.com/docs/en/api/migration-2026-10-21
 */
export function validateRequest(body: unknown, endpoint: Endpoint): MessageRequest | RejectedRequest {
  if (!isRecord(body)) return invalidRequest('the request body is not a JSON object')
  if (hasLoneSurrogate(body)) return invalidRequest(loneSurrogateMessage)
  const unknownField = Object.keys(body).find((key) => !knownFields.has(key))
  if (unknownField !== undefined) return invalidRequest(`${unknownField}: Extra inputs are not permitted`)
  const { model, max_tokens: maxTokens, stream = false } = body
  if (typeof model !== 'string') return invalidRequest('model: Field required')
  const servedModel = Object.hasOwn(servedModels, model) ? servedModels[model] : undefined
  if (servedModel === undefined) return { status: 404, type: 'not_found_error', message: `model: ${model}` }
  if (endpoint === 'messages') {
    if (maxTokens === undefined) return invalidRequest('max_tokens: Field required')
    if (!Number.isInteger(maxTokens) || Number(maxTokens) < 1)
      return invalidRequest('max_tokens: Input should be greater than or equal to 1')
    if (Number(maxTokens) > servedModel.maxOutput) {
      return invalidRequest(
        `max_tokens: ${String(maxTokens)} > ${servedModel.maxOutput}, which is the maximum allowed number of output tokens for ${model}`,
      )
    }
  }
  if (typeof stream !== 'boolean') return invalidRequest('stream: Input should be a valid boolean')
  const problem = findThinkingProblem(body, servedModel) ?? findFormatProblem(body)
  if (problem !== undefined) return invalidRequest(problem)
  const texts = extractTexts(body)
  if (!Array.isArray(texts)) return invalidRequest(texts.problem)

  const { format } = (body['output_config'] ?? {}) as { format?: { schema: Record<string, unknown> } }
  const documents = readDocumentBlocks(listBlocks(body, 'document'), format !== undefined)
  if (typeof documents === 'string') return invalidRequest(documents)
  const { pages, citable, citablePdf } = documents
  const imageTokens = countImageTokens(listBlocks(body, 'image'), servedModel.context < 1_000_000 ? 100 : 600)
  if (typeof imageTokens === 'string') return invalidRequest(imageTokens)
  const text = [...texts, ...documents.texts].join('\n')
  // The API shows a schema to the model as part of the system prompt.
  const characters = text.length + (format === undefined ? 0 : JSON.stringify(format.schema).length)
  const inputTokens =
    Math.ceil(characters / servedModel.charsPerToken) + pages * tokensPerPage + imageTokens + 8
  if (inputTokens > servedModel.context)
    return invalidRequest(`prompt is too long: ${inputTokens} tokens > ${servedModel.context} maximum`)
  return {
    model,
    max_tokens: Number(maxTokens ?? 0),
    stream,
    text,
    lastText: texts.at(-1) ?? '',
    inputTokens,
    ...(format !== undefined && { schema: format.schema }),
    ...(citable !== undefined && { citable }),
    ...(citablePdf !== undefined && { citablePdf }),
  }
}

/** Whether any string in a JSON value has a lone surrogate, which the API rejects as invalid JSON. */
export function hasLoneSurrogate(value: unknown): boolean {
  if (typeof value === 'string') return !value.isWellFormed()
  return typeof value === 'object' && value !== null && Object.entries(value).flat().some(hasLoneSurrogate)
}

export const loneSurrogateMessage = 'The request body is not valid JSON: no low surrogate in string'

const knownFields: ReadonlySet<string> = new Set([
  'model',
  'max_tokens',
  'messages',
  'system',
  'stream',
  'thinking',
  'output_config',
  'metadata',
  'stop_sequences',
  'cache_control',
  'service_tier',
  'inference_geo',
  'tools',
  'tool_choice',
  'container',
  'context_management',
])

function findThinkingProblem(
  body: Record<string, unknown>,
  servedModel: (typeof servedModels)[string],
): string | undefined {
  const config = body['output_config'] ?? {}
  if (!isRecord(config)) return 'output_config: Input should be an object'
  const extra = Object.keys(config).find((key) => key !== 'effort' && key !== 'format')
  if (extra !== undefined) return `output_config.${extra}: Extra inputs are not permitted`
  const effort = config['effort']
  if (effort !== undefined && !servedModel.efforts.includes(String(effort))) {
    return servedModel.efforts.length === 0
      ? 'This model does not support the effort parameter.'
      : `output_config.effort: Input should be ${servedModel.efforts.join(', ')}`
  }
  const thinking = body['thinking']
  if (thinking === undefined) return undefined
  const type = isRecord(thinking) ? thinking['type'] : undefined
  if (typeof type !== 'string' || !servedModel.thinking.includes(type))
    return `thinking.type: ${JSON.stringify(type)} is not supported by this model`
  if ((type === 'disabled' || type === 'between_tools') && (effort === 'xhigh' || effort === 'max')) {
    return `thinking.type: ${JSON.stringify(type)} is not supported at effort ${effort}`
  }
  return undefined
}

function findFormatProblem({ output_config: config }: Record<string, unknown>): string | undefined {
  const format = isRecord(config) ? config['format'] : undefined
  if (format === undefined) return undefined
  if (!isRecord(format) || format['type'] !== 'json_schema')
    return "output_config.format.type: Input should be 'json_schema'"
  return findSchemaProblem(format['schema'])
}

/** Measured: about 2,350 tokens for a dense page, which is sent both as text and as an image. */
const tokensPerPage = 2350

/** Returns the content blocks of a type, with their places in the request. */
function listBlocks({ messages }: Record<string, unknown>, type: string) {
  return (Array.isArray(messages) ? messages : []).flatMap((message: unknown, m) => {
    const content = isRecord(message) && Array.isArray(message['content']) ? message['content'] : []
    return content.flatMap((block: unknown, n) =>
      isRecord(block) && block['type'] === type
        ? [{ path: `messages.${m}.content.${n}`, source: block['source'], block }]
        : [],
    )
  })
}

function extractTexts({ system, messages }: Record<string, unknown>): string[] | { problem: string } {
  if (!Array.isArray(messages) || messages.length === 0)
    return { problem: 'messages: at least one message is required' }
  const texts: string[] = []
  if (system !== undefined) {
    const text = readContentText(system, 'system')
    if (typeof text !== 'string') return text
    texts.push(text)
  }
  for (const [index, message] of messages.entries()) {
    const role = isRecord(message) ? message['role'] : undefined
    if (role !== 'user' && role !== 'assistant')
      return { problem: `messages.${index}.role: Input should be 'user' or 'assistant'` }
    const text = readContentText((message as Record<string, unknown>)['content'], `messages.${index}.content`)
    if (typeof text !== 'string') return text
    texts.push(text)
  }
  const last = messages.at(-1) as Record<string, unknown>
  if (last['role'] === 'assistant')
    return {
      problem:
        'This model does not support assistant message prefill. The conversation must end with a user message.',
    }
  return texts
}

function readContentText(content: unknown, where: string): string | { problem: string } {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  if (!Array.isArray(blocks)) return { problem: `${where}: Field required` }
  const texts: string[] = []
  for (const block of blocks) {
    if (!isRecord(block) || typeof block['type'] !== 'string')
      return { problem: `${where}: Input should be a content block` }
    if (block['type'] !== 'text') continue
    const text = block['text']
    if (typeof text !== 'string' || text.trim() === '')
      return { problem: `${where}: text content blocks must contain non-whitespace text` }
    texts.push(text)
  }
  if (blocks.length === 0) return { problem: `${where}: at least one content block is required` }
  return texts.join('\n')
}

function invalidRequest(message: string): RejectedRequest {
  return { status: 400, type: 'invalid_request_error', message }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
