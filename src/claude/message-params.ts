import type { Pdf } from '../core/document/document.ts'
import type { Request } from '../core/request/request.ts'

/** Returns the body of a request without `max_tokens`. */
export function toMessageParams({ model, system, user, pdf, effort, thinking, schema }: Request) {
  const config = {
    ...(effort !== undefined && { effort }),
    ...(schema !== undefined && { format: { type: 'json_schema', schema } }),
  }
  return {
    model,
    ...(system !== undefined && { system }),
    messages: [
      { role: 'user', content: pdf === undefined ? user : [toPdfBlock(pdf), { type: 'text', text: user }] },
    ],
    ...(thinking !== undefined && { thinking: { type: thinking } }),
    ...(Object.keys(config).length > 0 && { output_config: config }),
  }
}

/** @see https://platform.claude.com/docs/en/build-with-claude/pdf-support */
function toPdfBlock({ base64 }: Pdf) {
  return { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: base64 } }
}
