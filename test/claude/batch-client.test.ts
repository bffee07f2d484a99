import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openClientOf } from '../../src/claude/anthropic-client.ts'
import type { AskError } from '../../src/core/errors/ask-error.ts'
import { classifyError } from '../../src/core/errors/classify-error.ts'
import { describeAccountError } from '../../src/core/errors/describe-account-error.ts'
import { isNotFound } from '../../src/core/errors/request-error.ts'
import { realClock } from '../support/real-clock.ts'
import { createRequest } from '../support/scripted-ask.ts'
import { createSimulatedClient } from '../support/simulated-client.ts'

const { signal } = new AbortController()

/** A client of a server that answers every request with the given JSON. */
async function clientOf(answer: object) {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return createSimulatedClient({}, { openSdkClient: openClientOf({ url, key: 'test' }) })
}
const batch = { id: 'msgbatch_1', processing_status: 'ended', created_at: '2026-11-22T12:00:00Z' }

describe('the batch client', () => {
  it('lists batches even if the clock of this machine is hours ahead', async () => {
    const wall = () => Date.now() + 3 * 3_600_000
    const { client } = await createSimulatedClient({}, { clock: { ...realClock, wallTime: wall } })
    async function* body() {
      yield Buffer.from(`{"requests":[${client.batches.formatEntry('a_1', createRequest('a.md'))}]}`)
    }
    const { id } = await client.batches.create(body(), signal)
    expect(await client.batches.listSince(wall() - 600_000, signal)).toMatchObject({
      batches: [{ id, requestCount: 1 }],
      isComplete: true,
    })
    expect(await client.batches.listSince(wall() + 600_000, signal)).toEqual({
      batches: [],
      isComplete: true,
    })
  })

  it('treats a batch in an unknown state as in progress', async () => {
    const { client } = await clientOf({ ...batch, processing_status: 'paused' })
    expect(await client.batches.retrieve('msgbatch_1', signal)).toMatchObject({ state: 'in_progress' })
  })

  it.each([null, {}, { processing: null }, 'many'])(
    'returns no number of requests if the API reports %j as the counts',
    async (counts) => {
      const { client } = await clientOf({ ...batch, request_counts: counts })
      expect(await client.batches.retrieve('msgbatch_1', signal)).not.toHaveProperty('requestCount')
    },
  )

  it.each([
    [{ ...batch, id: '..' }],
    [{ ...batch, id: 7 }],
    [{ ...batch, created_at: { toString: 1 } }],
    [{ ...batch, processing_status: null }],
  ])('rejects a malformed batch: %j', async (answer) => {
    const { client } = await clientOf(answer)
    await expect(client.batches.retrieve('msgbatch_1', signal)).rejects.toMatchObject({
      requestError: { kind: 'malformed' },
    })
  })

  it('lists batches page by page, each batch once', async () => {
    const all = Array.from({ length: 250 }, (_, n) => ({ ...batch, id: `msgbatch_${n}` }))
    const { client, requests } = await serverOf((url, response) => {
      const after = all.findIndex(({ id }) => id === url.searchParams.get('after_id'))
      const data = all.slice(after + 1, after + 101)
      response.end(JSON.stringify({ data, has_more: data.at(-1) !== all.at(-1) }))
    })
    const { batches, isComplete } = await client.batches.listSince(0, signal)
    expect([batches.length, new Set(batches.map(({ id }) => id)).size, isComplete]).toEqual([250, 250, true])
    expect(requests()).toBe(3)
  })

  it('stops listing if a gateway ignores the after_id parameter', async () => {
    const data = [batch, { ...batch, id: 'msgbatch_2' }]
    const { client, requests } = await serverOf((_, response) => {
      response.end(JSON.stringify({ data, has_more: true }))
    })
    const { batches, isComplete } = await client.batches.listSince(0, signal)
    expect([batches.length, isComplete, requests()]).toEqual([2, false, 2])
  })

  it('stops listing after 100 pages if the list never ends', async () => {
    let n = 0
    const { client, requests } = await serverOf((_, response) => {
      response.end(JSON.stringify({ data: [{ ...batch, id: `msgbatch_${n++}` }], has_more: true }))
    })
    expect(await client.batches.listSince(0, signal)).toMatchObject({ isComplete: false })
    expect(requests()).toBe(100)
  })

  it.each([
    ['reads the body of', true],
    ['reads nothing of', false],
  ])('times out if a server %s a create request and never answers', async (_name, reads) => {
    const { client } = await serverOf((_, _response, request) => {
      if (reads) request.resume()
    }, 150)
    async function* body() {
      for (let n = 0; n < (reads ? 1 : 400); n++) yield Buffer.alloc(reads ? 100 : 65_536, ' ')
    }
    await expect(client.batches.create(body(), signal)).rejects.toMatchObject({
      requestError: { kind: 'timeout' },
    })
  })

  it('times out if a server never starts to send the results', async () => {
    const { client } = await serverOf((url, response) => {
      if (!url.pathname.endsWith('/results')) response.end(JSON.stringify(batch))
    }, 150)
    await expect(first(client.batches.fetchResults('msgbatch_1', signal))).rejects.toMatchObject({
      requestError: { kind: 'timeout' },
    })
  })

  it('throws account errors whose advice is about batches, not about a model or a certificate', async () => {
    const page = '<html><h1>Blocked by the proxy</h1></html>'
    const error = (type: string) => JSON.stringify({ type: 'error', error: { type, message: 'm' } })
    const cases: [number, string, RegExp][] = [
      [404, error('not_found_error'), /has no such batch, or does not serve batches/],
      [403, error('permission_error'), /may not use this batch, or batches at all/],
      [404, page, /not an answer of the API.*gateway or proxy/],
      [403, page, /not an answer of the API.*gateway or proxy/],
      [
        200,
        JSON.stringify({ ...batch, results_url: 'https://elsewhere.example/x' }),
        /results are fetched only from/,
      ],
    ]
    for (const [status, body, expected] of cases) {
      const { client } = await serverOf((_, response) => {
        response.statusCode = status
        if (body === page) response.setHeader('content-type', 'text/html')
        response.end(body)
      })
      const { batches } = client
      const calls = [
        () => first(batches.fetchResults('msgbatch_1', signal)),
        ...(status === 200
          ? []
          : [
              () => batches.retrieve('msgbatch_1', signal),
              () => batches.cancel('msgbatch_1', signal),
              () => batches.listSince(0, signal),
              () => batches.create(empty(), signal),
            ]),
      ]
      for (const call of calls) {
        const thrown = await call().then(
          () => undefined,
          (error: unknown) => error,
        )
        const { requestError } = thrown as AskError
        const advice = describeAccountError(requestError, 'claude-haiku-5-5', client.baseUrl)
        expect(advice).toMatch(expected)
        expect(advice).not.toMatch(/certificate|claude-haiku|choose another, for/)
        expect(classifyError(requestError)).toBe('account')
        expect(isNotFound(requestError)).toBe(body === error('not_found_error'))
      }
    }
  })
})

async function* empty() {
  yield Buffer.from('{"requests":[]}')
}

async function first(answers: AsyncIterable<unknown>): Promise<unknown> {
  for await (const answer of answers) return answer
  return undefined
}

/** A client of a server whose responses `respond` writes. */
async function serverOf(
  respond: (url: URL, response: ServerResponse, request: IncomingMessage) => void,
  idleTimeoutMs = 2000,
) {
  let count = 0
  const server = createServer((request, response) => {
    count++
    response.setHeader('content-type', 'application/json')
    respond(new URL(request.url ?? '', 'http://here'), response, request)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { client } = await createSimulatedClient(
    {},
    { openSdkClient: openClientOf({ url, key: 'test' }), idleTimeoutMs },
  )
  return { client, requests: () => count }
}
