import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { respondWith } from '../support/manual-response.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { createRequest } from '../support/scripted-ask.ts'
import { createSimulatedClient } from '../support/simulated-client.ts'
import { end, start, textDelta } from '../support/stream-events.ts'

describe('answers that take three times the idle timeout', () => {
  it('are billed once each, except for the first, which is billed twice', async () => {
    const { env, simulator } = await startService({ script: () => ({ kind: 'answer', delayMs: 6000 }) })
    const cwd = await createFolder({ 'docs/a.md': 'The harbour.', 'docs/b.md': 'The pier.' })
    const args = ['summarize', 'docs', '--idle-timeout', '2', '--concurrency', '1']
    const { code } = await runInProcess(args, { cwd, env, random: () => 0 })
    expect([code, simulator.stats().billed.requests]).toEqual([0, 3])
  })
})

describe('a stream', () => {
  it.each([
    ['pings', 'event: ping\ndata: {"type": "ping"}\n\n'],
    ['comments', ': keep-alive\n\n'],
  ])('that brings only %s for longer than the idle timeout is read to its end', async (_, sign) => {
    const slow = respondWith(async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let n = 0; n < 20; n++) {
        response.write(sign)
        await delay(200)
      }
      response.end(start + textDelta('At last.') + end)
    })
    const { client } = await createSimulatedClient(
      { script: () => slow },
      { idleTimeoutMs: 1500, totalTimeoutMs: 60_000 },
    )
    const request = createRequest('a.md', { maxTokens: 8192 })
    expect((await client.ask(request, new AbortController().signal)).text).toBe('At last.')
  })
})
