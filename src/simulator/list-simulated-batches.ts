import { type ApiError, invalidRequestError } from './api-error.ts'
import type { BatchJson, SimulatedBatch } from './simulated-batch.ts'

/** Returns the page of batches that the URL's query selects, newest first. */
export async function listSimulatedBatches(
  url: string,
  host: string,
  batches: ReadonlyMap<string, SimulatedBatch>,
): Promise<ApiError | BatchJson> {
  const query = new URL(url, 'http://simulator').searchParams
  const limit = Number(query.get('limit') ?? 20)
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= 1000))
    return invalidRequestError('limit: Input should be from 1 to 1000')
  const all = [...batches.values()].reverse()
  const findIndex = (name: string) => all.findIndex(({ id }) => id === query.get(name))
  for (const name of ['after_id', 'before_id'])
    if (query.has(name) && findIndex(name) < 0) return invalidRequestError(`${name}: no such batch`)
  const until = query.has('before_id') ? findIndex('before_id') : all.length
  const from = query.has('before_id') ? Math.max(0, until - limit) : findIndex('after_id') + 1
  const page = all.slice(from, Math.min(until, from + limit))
  return {
    data: await Promise.all(page.map((batch) => batch.toJson(host))),
    has_more: query.has('before_id') ? from > 0 : from + limit < all.length,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  }
}
