import type { ServerResponse } from 'node:http'
import type { ApiError } from './api-error.ts'
import { sendBody } from './send-body.ts'
import { servedModels } from './served-models.ts'

/** Answers `GET /v1/models` and `GET /v1/models/{id}`. @param id undefined for all models */
export function sendModels(
  response: ServerResponse,
  id: string | undefined,
  fail: (error: ApiError) => void,
): void {
  const entry = (id: string) => ({
    type: 'model',
    id,
    display_name: id,
    max_input_tokens: servedModels[id]?.context,
    max_tokens: servedModels[id]?.maxOutput,
  })
  if (id === undefined) sendBody(response, { data: Object.keys(servedModels).map(entry), has_more: false })
  else if (Object.hasOwn(servedModels, id)) sendBody(response, entry(id))
  else fail({ status: 404, message: `model: ${id}` })
}
