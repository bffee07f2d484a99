import type { Upload } from '../core/document/upload.ts'
import type { Request } from '../core/request/request.ts'

/** Returns the body of a request without `max_tokens`. */
export function toMessageParams({ model, system, user, upload, effort, thinking, schema }: Request) {
  const config = {
    ...(effort !== undefined && { effort }),
    ...(schema !== undefined && { format: { type: 'json_schema', schema } }),
  }
  return {
    model,
    ...(system !== undefined && { system }),
    messages: [
      {
        role: 'user',
        content: upload === undefined ? user : [...toBlocks(upload), { type: 'text', text: user }],
      },
    ],
    ...(thinking !== undefined && { thinking: { type: thinking } }),
    ...(Object.keys(config).length > 0 && { output_config: config }),
  }
}

/**
 * @see https://platform.claude.com/docs/en/build-with-claude/pdf-support
 * @see https://platform.claude.com/docs/en/build-with-claude/vision
 */
function toBlocks(upload: Upload) {
  if (upload.type === 'pdf') return [toBlock('document', 'application/pdf', upload.base64)]
  return upload.images.map(({ mediaType, base64 }) => toBlock('image', mediaType, base64))
}

function toBlock(type: 'document' | 'image', mediaType: string, base64: string) {
  return { type, source: { type: 'base64', media_type: mediaType, data: base64 } }
}
