import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { refusedDocumentsThreshold } from '../../src/core/errors/resolve-account-error.ts'
import type { Behaviour } from '../../src/simulator/script.ts'
import { longWait } from '../support/long-wait.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { answer, type FolderBehaviour, withFaults } from './with-faults.ts'

const html = '<html><title>Blocked</title><h1>Access denied by the firewall</h1></html>'
const page = (status: number, headers: Record<string, string> = {}): Behaviour => ({
  kind: 'raw',
  status,
  headers: { 'content-type': 'text/html; charset=utf-8', ...headers },
  body: html,
})
const foreignJson: Behaviour = {
  kind: 'raw',
  status: 403,
  headers: { 'content-type': 'application/json' },
  body: '{"error":"blocked","code":403}',
}
const own = (status: number): Behaviour => ({ kind: 'status', status, message: 'no' })
/** Responds like `own`, after another document of the run has its summary. */
const ownAfterAnswer =
  (status: number): FolderBehaviour =>
  (cwd) => ({
    kind: 'by-hand',
    async respond(response) {
      await vi.waitUntil(() => existsSync(join(cwd, 'summaries/docs/a.md.summary.md')), longWait)
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end('{"type":"error","error":{"type":"permission_error","message":"no"}}')
    },
  })

describe('a refusal of one document among answers to others', () => {
  // Each set has fewer documents than end a run if they are refused without an answer in between.
  const pages = {
    'page-401': [page(401)],
    'page-403': [page(403)],
    'page-404': [page(404)],
  }
  const otherResponses = {
    redirect: [page(302, { location: 'https://blocked.example/' })],
    json: [foreignJson],
  }
  const owns = {
    'own-401': [ownAfterAnswer(401)],
    'own-403': [ownAfterAnswer(403)],
  }

  it.each([
    ['a page', pages],
    ['another response', otherResponses],
    ['an error of the API', owns],
  ])('by %s is retried once, and then fails only that document', async (_by, rows) => {
    expect(Object.keys(rows).length).toBeLessThan(refusedDocumentsThreshold)
    const [seen] = await withFaults({ rows, flags: ['--concurrency', '9'] })
    expect(seen?.code).toBe(1)
    for (const row of Object.keys(rows)) {
      const { sent, record } = seen?.fates[row] ?? {}
      expect([row, sent?.length]).toEqual([row, 2])
      expect(record).toMatch(/^ERROR: \d+ \w+: .*\n(request id.*\n)?attempt 1: .*\nattempt 2: .*\n$/)
    }
    if (rows === owns) expect(seen?.fates['own-403']?.record).not.toContain('in front of')
    if (rows === otherResponses)
      expect(seen?.fates['redirect']?.record).toContain('redirected to https://blocked.example/')
    if (rows !== pages) return
    expect(seen?.fates['page-403']?.record).toMatch(
      /^ERROR: 403 http_403: Blocked Access denied by the firewall; this is not an answer of the API: something in front of 127\.0\.0\.1:\d+ sent it \(text\/html/,
    )
  })

  it('leaves no failure if the second attempt brings a summary', async () => {
    const [seen] = await withFaults({
      rows: { once: [page(403), answer], own: [ownAfterAnswer(401), answer] },
    })
    expect(seen?.code).toBe(0)
    expect(seen?.fates['once']?.line).toMatchObject({ status: 'summarized', attempts: 2 })
  })

  it.each([1, 3])(
    'does not end the run if it concerns the first documents, with a concurrency of %i',
    async (concurrency) => {
      const blocked = Object.fromEntries(['0', '1', '2'].map((row) => [row, [page(403)]]))
      const [seen] = await withFaults({ rows: blocked, flags: ['--concurrency', `${concurrency}`] })
      expect(seen?.code).toBe(1)
      expect(seen?.fates['1']?.record).toContain('403 http_403')
    },
  )
})

describe('a refusal of every document', () => {
  const twenty = async (script: (nth: number) => Behaviour, ...flags: string[]) => {
    const docs = Array.from({ length: 20 }, (_, n) => [`docs/${n}.md`, `The harbour of town ${n}.`])
    const cwd = await createFolder(Object.fromEntries(docs))
    const { env, simulator } = await startService({ script: ({ index }) => script(index) })
    const ended = await runInProcess(['summarize', 'docs', ...flags], { cwd, env })
    return { ...ended, requests: simulator.stats().requests }
  }

  it.each<[string, Behaviour, RegExp]>([
    ['page', page(403), /403 http_403: .*something in front of 127\.0\.0\.1:\d+ sent it \(text\/html/],
    [
      'captive portal',
      page(302, { location: 'http://portal.example/login' }),
      /redirected to http:\/\/portal\.example\/login; .*or a sign-in page/,
    ],
    ['foreign JSON', foreignJson, /sent it \(application\/json\)/],
  ])('ends the run after a few documents and leaves all pending: %s', async (_name, behaviour, message) => {
    for (const concurrency of [1, 4]) {
      const { code, stderr, requests } = await twenty(() => behaviour, '--concurrency', `${concurrency}`)
      expect(code).toBe(4)
      // Five refused documents decide. Others follow while requests from before are in flight.
      expect(requests).toBeLessThanOrEqual(5 + 2 * concurrency)
      expect(stderr).toMatch(message)
      expect(stderr).toMatch(/20 pending/)
    }
  })

  it('by a page with status 200 is reported as the answer of a proxy', async () => {
    const page200: Behaviour = {
      kind: 'raw',
      status: 200,
      headers: { 'content-type': 'text/html' },
      body: html,
    }
    const { code, stderr } = await twenty(() => page200, '--retries', '0', '--max-wait', '1s')
    expect(code).toBe(75)
    expect(stderr).toContain('(text/html); a proxy, a firewall or a sign-in page answered in its place')
  })

  it('that starts after some answers ends the run, as with a revoked key', async () => {
    const { code, stderr, requests } = await twenty((n) => (n < 8 ? answer : own(401)), '--concurrency', '2')
    expect(code).toBe(4)
    expect(requests).toBeLessThanOrEqual(8 + 5 + 2 * 2)
    expect(stderr).toContain('check ANTHROPIC_API_KEY')
  })
})
