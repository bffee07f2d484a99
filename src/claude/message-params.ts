import type { Upload } from '../core/document/upload.ts'
import type { Request } from '../core/request/request.ts'

/** Returns the body of a request without `max_tokens`. */
export function toMessageParams(request: Request) {
  const { model, system, effort, thinking, schema } = request
  const config = {
    ...(effort !== undefined && { effort }),
    ...(schema !== undefined && { format: { type: 'json_schema', schema } }),
  }
  return {
    model,
    ...(system !== undefined && { system }),
    messages: [{ role: 'user', content: toContent(request) }],
    ...(thinking !== undefined && { thinking: { type: thinking } }),
    ...(Object.keys(config).length > 0 && { output_config: config }),
  }
}

function toContent({ user, upload, citable }: Request) {
  if (upload === undefined && citable === undefined) return user
  const uploads = upload === undefined ? [] : toBlocks(upload, citable !== undefined)
  if (citable?.text === undefined) return [...uploads, ...toTextBlocks(user)]
  const { text, blocks, offset } = citable
  return [
    ...uploads,
    ...toTextBlocks(user.slice(0, offset)),
    { type: 'document', source: toTextSource(text, blocks), ...cited },
    ...toTextBlocks(user.slice(offset)),
  ]
}

/** The API refuses a text block without text. */
function toTextBlocks(text: string) {
  return text.trim() === '' ? [] : [{ type: 'text', text }]
}

/** @see https://platform.claude.com/docs/en/build-with-claude/citations */
function toTextSource(text: string, blocks: readonly string[] | undefined) {
  return blocks === undefined
    ? { type: 'text', media_type: 'text/plain', data: text }
    : { type: 'content', content: blocks.flatMap(toTextBlocks) }
}

const cited = { citations: { enabled: true } }

/**
 * @see https://platform.claude.com/docs/en/build-with-claude/pdf-support
 * @see https://platform.claude.com/docs/en/build-with-claude/vision
 */
function toBlocks(upload: Upload, isCited: boolean) {
  if (upload.type === 'pdf') {
    const block = toBlock('document', 'application/pdf', upload.base64)
    // The API wants citations for all documents of a request, or for none.
    return [isCited ? { ...block, ...cited } : block]
  }
  return upload.images.map(({ mediaType, base64 }) => toBlock('image', mediaType, base64))
}

function toBlock(type: 'document' | 'image', mediaType: string, base64: string) {
  return { type, source: { type: 'base64', media_type: mediaType, data: base64 } }
}
