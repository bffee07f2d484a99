import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { realClock } from '../support/real-clock.ts'
import { requestFor } from '../support/scripted-ask.ts'
import { simulatedClient } from '../support/simulated-client.ts'

const { signal } = new AbortController()

/** A client of a server that answers every request with this. */
async function clientOf(answer: object) {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return simulatedClient({}, { server: { url, key: 'test' } })
}
const batch = { id: 'msgbatch_1', processing_status: 'ended', created_at: '2026-11-22T12:00:00Z' }

describe('the batches of the API', () => {
  it('are listed where the clock of this machine is hours ahead', async () => {
    const wall = () => Date.now() + 3 * 3_600_000
    const { client } = await simulatedClient({}, { clock: { ...realClock, wall } })
    async function* body() {
      yield Buffer.from(`{"requests":[${client.batches.entry('a_1', requestFor('a.md'))}]}`)
    }
    const { id } = await client.batches.create(body(), signal)
    expect(await client.batches.since(wall() - 600_000, signal)).toMatchObject([{ id, requests: 1 }])
    expect(await client.batches.since(wall() + 600_000, signal)).toEqual([])
  })

  it('have not ended in a state that is not known yet', async () => {
    const { client } = await clientOf({ ...batch, processing_status: 'paused' })
    expect(await client.batches.retrieve('msgbatch_1', signal)).toMatchObject({ state: 'in_progress' })
  })

  it.each([null, {}, { processing: null }, 'many'])(
    'have an unknown number of requests where the API does not say: %j',
    async (counts) => {
      const { client } = await clientOf({ ...batch, request_counts: counts })
      expect(await client.batches.retrieve('msgbatch_1', signal)).not.toHaveProperty('requests')
    },
  )

  it.each([
    [{ ...batch, id: '..' }],
    [{ ...batch, id: 7 }],
    [{ ...batch, created_at: { toString: 1 } }],
    [{ ...batch, processing_status: null }],
  ])('are not taken from an answer that is none: %j', async (answer) => {
    const { client } = await clientOf(answer)
    await expect(client.batches.retrieve('msgbatch_1', signal)).rejects.toMatchObject({
      fault: { kind: 'malformed' },
    })
  })
})
