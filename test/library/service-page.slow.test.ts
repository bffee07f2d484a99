import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import type { SimulatorOptions } from '../../src/simulator/simulator.ts'
import { readCodeBlocks } from '../support/code-blocks.ts'
import { answerWith, overloaded } from '../support/library-client.ts'
import { longWait } from '../support/long-wait.ts'
import { installPacked } from '../support/packed-package.ts'
import { sendRawBytes } from '../support/raw-http.ts'
import { createFolder, startService } from '../support/run-cli.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const page = await readFile(join(root, 'docs/service.md'), 'utf8')
const [script = '', job = '', service = '', ...others] = await readCodeBlocks('service.md', 'ts')
const strict = {
  target: 'es2023',
  module: 'nodenext',
  lib: ['es2023'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noImplicitReturns: true,
  // What Node.js needs to run a program without a compiler.
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  skipLibCheck: false,
}
const stall: Behaviour = { kind: 'stall', afterHeaders: false }
const wrongKey: Behaviour = { kind: 'status', status: 401, message: 'invalid x-api-key' }

/** Has the three programs of the page, compiled. */
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claude-batch-service-'))
  await installPacked(folder)
  await symlink(join(root, 'node_modules/@types'), join(folder, 'node_modules/@types'), 'dir')
  const programs = {
    'script.mts': script,
    'job.mts': job,
    'batch-job.mts': toBatchJob(job),
    'service.mts': service,
  }
  for (const [name, code] of Object.entries(programs)) await writeFile(join(folder, name), code)
  const config = { compilerOptions: strict, files: Object.keys(programs) }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = await run(process.execPath, [compiler, '-p', folder]).catch((error) => error)
  expect(stdout).toBe('')
})

/** Returns the job with the options that the page names for batches. */
function toBatchJob(code: string): string {
  const [, options = ''] = /`(\{ client, prompt, signal, store: [^`]+ \})`/.exec(page) ?? []
  return code
    .replaceAll('{ client, prompt, signal }', options)
    .replace('  estimate,\n', '  estimate,\n  folderStore,\n')
}

afterAll(() => rm(folder, { recursive: true, force: true }))

interface Running {
  readonly child: ChildProcess
  /** The output so far. */
  readonly output: { stdout: string; stderr: string }
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>
}

function start(
  program: string,
  { args = [], cwd, env }: { args?: readonly string[]; cwd: string; env: Record<string, string> },
): Running {
  const child = spawn(process.execPath, [join(folder, `${program}.mjs`), ...args], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (output.stdout += piece))
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (output.stderr += piece))
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, ...output }))
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, output, ended }
}

it('the page has three programs', () => {
  expect([script, job, service].every((code) => code.includes('summarizeAll'))).toBe(true)
  expect(others).toEqual([])
})

describe('the script for a folder', () => {
  const files = { 'docs/a.md': 'High water is at 06:12.\n', 'docs/b.html': '<p>The lock holds.</p>' }

  it('prints summaries, and the cost on stderr', async () => {
    const { env } = await startService({})
    const cwd = await createFolder({ ...files, 'docs/empty.md': '' })
    const { code, stdout, stderr } = await start('script', { args: ['docs'], cwd, env }).ended
    expect(stdout).toMatch(/^# docs\/a\.md\n\n\[simulated\] /m)
    expect(stdout).toMatch(/^# docs\/b\.html\n\n\[simulated\] /m)
    expect(stderr).toMatch(/^1 skipped: .*empty.*\n2 requests, \$0\.\d+\n$/)
    expect(code).toBe(0)
  })

  it('exits with 1 if a document has no summary, and summarizes the others', async () => {
    const { env } = await startService({})
    const cwd = await createFolder({ ...files, 'docs/broken.pdf': '%PDF-1.4 is cut off' })
    const { code, stdout, stderr } = await start('script', { args: ['docs'], cwd, env }).ended
    expect(stdout.match(/^# /gm)).toHaveLength(2)
    expect(stderr).toContain('docs/broken.pdf: ')
    expect(code).toBe(1)
  })

  it.each([
    ['of a wrong key', ['docs'], wrongKey, '401'],
    ['the folder does not exist', ['nowhere'], wrongKey, 'nowhere'],
    ['it has no argument', [], wrongKey, 'usage:'],
  ])('exits with 2 because %s', async (_, args, behaviour, message) => {
    const { env } = await startService({ script: () => behaviour })
    const cwd = await createFolder(files)
    const { code, stdout, stderr } = await start('script', { args, cwd, env }).ended
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('    at ')
  })

  it('cancels the requests in flight after Ctrl-C, and prints what was spent', async () => {
    const { env, simulator } = await startService({
      script: ({ index }) => (index === 0 ? answerWith('A summary.') : stall),
    })
    const cwd = await createFolder(files)
    const { child, output, ended } = start('script', { args: ['docs'], cwd, env })
    await vi.waitUntil(() => output.stdout !== '' && simulator.stats().requests === 2, longWait)
    child.kill('SIGINT')
    const { code, stderr } = await ended
    expect(code).toBe(130)
    expect(stderr).toMatch(/^interrupted\n\d requests?, /m)
    await vi.waitUntil(() => simulator.stats().aborted === 1, longWait)
  })

  it('sends nothing more when the reader of its output has left', async () => {
    const { env, simulator } = await startService({
      script: ({ index }) => answerWith('A summary.', index === 0 ? 1 : 300),
    })
    const many = Object.fromEntries(
      Array.from({ length: 300 }, (_, n) => [`docs/${n}.md`, `The tide of day ${n} is high.`]),
    )
    const cwd = await createFolder(many)
    const { child, output, ended } = start('script', { args: ['docs'], cwd, env })
    await vi.waitUntil(() => output.stdout !== '', longWait)
    child.stdout?.destroy()
    const { code } = await ended
    expect(code).toBe(130)
    expect(simulator.stats().requests).toBeLessThan(300)
  })
})

describe('the job for rows of a database', () => {
  const tickets = ['The printer jams.', 'The scanner is slow.', 'The display stays dark.']
  const lines = tickets.map((text, n) => JSON.stringify({ id: `ticket/${n}`, text })).join('\n')
  const facts = JSON.stringify({ product: 'printer', problem: 'It jams.', urgent: false })

  async function startJob(options: SimulatorOptions, env: Record<string, string> = {}, cwd?: string) {
    const { env: own, simulator } = await startService(options)
    const place = cwd ?? (await createFolder({ 'tickets.jsonl': lines }))
    return { ...start('job', { cwd: place, env: { ...own, ...env } }), cwd: place, simulator }
  }

  async function readResults(cwd: string): Promise<Record<string, unknown>> {
    const names = (await readdir(join(cwd, 'facts'))).sort()
    const read = async (name: string) => JSON.parse(await readFile(join(cwd, 'facts', name), 'utf8'))
    return Object.fromEntries(
      await Promise.all(names.map(async (name) => [decodeURIComponent(name), await read(name)])),
    )
  }

  it('saves facts of each ticket once', async () => {
    const first = await startJob({ script: () => answerWith(facts) })
    const { code, stderr } = await first.ended
    expect(stderr).toMatch(/^3 tickets, about \$0\.\d+\n/)
    expect(code).toBe(0)
    const result = { facts: { product: 'printer', problem: 'It jams.', urgent: false } }
    expect(await readResults(first.cwd)).toEqual({
      'ticket/0.json': result,
      'ticket/1.json': result,
      'ticket/2.json': result,
    })
    const again = await startJob({}, {}, first.cwd)
    expect((await again.ended).code).toBe(0)
    expect(again.simulator.stats().requests).toBe(0)
  })

  it('runs at half the price with the change that the page describes', async () => {
    const script = () => answerWith(facts)
    const { env, simulator } = await startService({ script, batches: { durationMs: 1 } })
    const cwd = await createFolder({ 'tickets.jsonl': lines })
    expect((await start('batch-job', { cwd, env }).ended).code).toBe(75)
    expect(Object.keys(await readResults(cwd))).toEqual(['ticket/0.json'])
    const last = await start('batch-job', { cwd, env }).ended
    expect([last.code, last.stderr]).toEqual([0, expect.stringMatching(/^0 tickets, about \$0\n/)])
    expect(Object.keys(await readResults(cwd)).length).toBe(3)
    expect(simulator.stats()).toMatchObject({ requests: 1, batches: { created: 1, requests: 2 } })
  })

  it('records a ticket that failed for good, and leaves one open that may succeed later', async () => {
    const behaviours: Record<string, Behaviour> = {
      printer: { kind: 'answer', delayMs: 1, text: '', stopReason: 'refusal' },
      scanner: { kind: 'status', status: 500, headers: { 'x-should-retry': 'false' } },
    }
    const first = await startJob({
      script: ({ request }) =>
        Object.entries(behaviours).find(([word]) => request.text.includes(word))?.[1] ?? answerWith(facts),
    })
    expect((await first.ended).code).toBe(1)
    expect(await readResults(first.cwd)).toEqual({
      'ticket/0.json': { error: { type: 'refusal', message: expect.any(String) } },
      'ticket/2.json': { facts: expect.anything() },
    })
    const again = await startJob({ script: () => overloaded }, {}, first.cwd)
    expect((await again.ended).code).toBe(75)
    const last = await startJob({ script: () => answerWith(facts) }, {}, first.cwd)
    expect((await last.ended).code).toBe(0)
    expect(last.simulator.stats().requests).toBe(1)
  })

  it('has nothing to do without tickets', async () => {
    const { ended, simulator } = await startJob({}, {}, await createFolder({ 'tickets.jsonl': '' }))
    expect((await ended).code).toBe(0)
    expect(simulator.stats().requests).toBe(0)
  })

  it('sends nothing if the estimate exceeds the cap', async () => {
    const { ended, simulator } = await startJob({}, { MAX_COST_USD: '0.0001' })
    const { code, stderr } = await ended
    expect([code, simulator.stats().requests]).toEqual([5, 0])
    expect(stderr).toContain('more than MAX_COST_USD (0.0001); nothing was sent')
  })

  it('keeps what it has saved when the cap is reached, and continues in the next run', async () => {
    // Each answer costs more than the estimate expects.
    const usage = { input_tokens: 400, output_tokens: 900 }
    const script = () => ({ kind: 'answer', delayMs: 1, text: facts, usage }) as const
    const first = await startJob({ script }, { MAX_COST_USD: '0.0009' })
    const { code, stderr } = await first.ended
    expect([code, stderr]).toEqual([5, expect.stringContaining('budget_exceeded: ')])
    expect(Object.keys(await readResults(first.cwd))).toHaveLength(1)
    const again = await startJob({ script }, {}, first.cwd)
    expect((await again.ended).code).toBe(0)
    expect(again.simulator.stats().requests).toBe(2)
  })

  it.each([
    ['4 for a wrong key', 4, wrongKey, {}],
    ['2 without a key', 2, wrongKey, { ANTHROPIC_API_KEY: '' }],
    [
      '75 if the API asks for a long wait',
      75,
      { kind: 'status', status: 429, headers: { 'retry-after': '3600' } },
      {},
    ],
  ] as const)('exits with %s', async (_, expected, behaviour, env) => {
    const { ended } = await startJob({ script: () => behaviour }, env)
    const { code, stderr } = await ended
    expect([code, stderr]).toEqual([expected, expect.not.stringContaining('    at ')])
  })

  it('cancels its requests after SIGTERM, and leaves their tickets open', async () => {
    const { child, ended, simulator, cwd } = await startJob({ script: () => stall })
    await vi.waitUntil(() => simulator.stats().requests === 3, longWait)
    child.kill('SIGTERM')
    expect((await ended).code).toBe(143)
    await vi.waitUntil(() => simulator.stats().aborted === 3, longWait)
    expect(await readResults(cwd)).toEqual({})
  })
})

describe('the service over HTTP', () => {
  async function startHttp(options: SimulatorOptions, env: Record<string, string> = {}) {
    const { env: own, simulator } = await startService(options)
    const running = start('service', { cwd: await createFolder({}), env: { ...own, PORT: '0', ...env } })
    await vi.waitUntil(() => running.output.stderr.includes('listening'), longWait)
    const [url = ''] = /http:\S+/.exec(running.output.stderr) ?? []
    const post = (path: string, body: string | Uint8Array<ArrayBuffer>, init: RequestInit = {}) =>
      fetch(`${url}${path}`, { method: 'POST', body, ...init })
    const getHealth = async () => (await (await fetch(`${url}/health`)).json()) as Record<string, unknown>
    return { ...running, simulator, url, post, getHealth }
  }

  it('answers with a summary and its cost, and counts them', async () => {
    const { post, getHealth } = await startHttp({})
    const response = await post('/summaries?name=tides.html', '<p>High water is at 06:12.</p>')
    expect([response.status, await response.json()]).toEqual([
      200,
      {
        summary: expect.stringContaining('High water'),
        model: 'claude-haiku-5-5',
        costUsd: expect.any(Number),
      },
    ])
    const remainingUsd = expect.any(Number)
    expect(await getHealth()).toMatchObject({ status: 'ok', inProgress: 0, attempts: 1, remainingUsd })
  })

  it.skipIf(spawnSync('curl', ['--version']).status !== 0)('answers the commands of the page', async () => {
    const { url } = await startHttp({})
    const [commands = ''] = (await readCodeBlocks('service.md', 'sh')).filter((it) => it.includes('curl'))
    const pdf = await readFile(join(root, 'fixtures/kinds/libreoffice.pdf'))
    const cwd = await createFolder({ 'report.pdf': pdf, 'notes.md': 'The ferry leaves at nine.' })
    const { stdout } = await run('sh', ['-ec', commands.replaceAll('http://localhost:8080', url)], { cwd })
    expect(stdout).toMatch(
      /^{"summary":".+}data: {"text":".+}\n\ndata: {"done":true,.+}\n\n{"status":"ok",.+}$/s,
    )
  })

  it('streams a summary as server-sent events', async () => {
    const { post } = await startHttp({})
    const response = await post('/summaries/stream', 'High water is at 06:12. The lock holds.')
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const events = readEvents(await response.text())
    expect(events.map(({ text }) => text ?? '').join('')).toContain('High water')
    expect(events.at(-1)).toEqual({ done: true, model: 'claude-haiku-5-5', costUsd: expect.any(Number) })
  })

  it('ends a stream that broke off with an error', async () => {
    const { post } = await startHttp({
      script: () => ({ kind: 'mid-stream-error', type: 'overloaded_error', delayMs: 1 }),
    })
    const response = await post('/summaries/stream', 'High water is at 06:12. The lock holds.')
    const events = readEvents(await response.text())
    expect(response.status).toBe(200)
    expect(events[0]).toEqual({ text: expect.any(String) })
    expect(events.at(-1)).toEqual({ error: { type: 'overloaded_error', message: expect.any(String) } })
  })

  it.each([
    ['a document that cannot be read', '?name=a.pdf', '%PDF-1.4 is cut off', 422, 'malformed'],
    ['an empty document', '', '', 422, 'empty'],
    ['a binary one', '', Uint8Array.from([0, 1, 2, 0, 0, 0, 255]), 422, 'binary'],
    ['one that is too large', '', new Uint8Array(20_000_001), 413, 'too_large'],
    ['a name with odd characters', '?name=..%2F%00%0A..%2Fetc%2Fpasswd.pdf', 'x', 422, 'not_a_pdf'],
  ])('refuses %s, and sends nothing', async (_, query, body, status, type) => {
    const { post, simulator } = await startHttp({})
    for (const path of ['/summaries', '/summaries/stream']) {
      const response = await post(`${path}${query}`, body)
      const { error } = (await response.json()) as { error: { type: string; message: string } }
      expect([response.status, error]).toEqual([status, { type, message: expect.stringMatching(/./) }])
    }
    expect(simulator.stats().requests).toBe(0)
  })

  it('survives requests that are not its own', async () => {
    const { url, post, getHealth, simulator } = await startHttp({})
    expect((await fetch(`${url}/summaries`)).status).toBe(404)
    expect((await post('/toString', 'x')).status).toBe(404)
    expect((await post('/summaries', 'x', { headers: { origin: 'http://evil.example' } })).status).toBe(403)
    for (const target of ['//', 'http://[', '*', '/summaries?name=%', '/%'])
      expect(
        await sendRawBytes(url, `GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
      ).toMatch(/^HTTP\/1\.1 404 /)
    expect(await sendRawBytes(url, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    expect(await getHealth()).toMatchObject({ inProgress: 0 })
    expect(simulator.stats().requests).toBe(0)
  })

  it.each([
    [502, 'authentication_error', wrongKey, {}],
    [503, 'overloaded_error', { ...overloaded, headers: { 'x-should-retry': 'false' } }, {}],
    [503, 'budget_exceeded', answerWith('A summary.'), { MAX_COST_USD: '0.0001' }],
    [503, 'wait_too_long', { kind: 'status', status: 429, headers: { 'retry-after': '3600' } }, {}],
    [422, 'refusal', { kind: 'answer', delayMs: 1, text: '', stopReason: 'refusal' }, {}],
  ] as const)('answers %d for %s, and stays up', async (status, type, behaviour, env) => {
    const { post, getHealth } = await startHttp({ script: () => behaviour }, env)
    for (const path of ['/summaries', '/summaries/stream']) {
      const response = await post(path, 'High water is at 06:12.')
      const body = await response.text()
      expect([response.status, JSON.parse(body).error.type]).toEqual([status, type])
      expect(response.headers.get('retry-after')).toBe(status === 503 ? '10' : null)
      expect(body).not.toMatch(/sk-ant|ANTHROPIC/)
    }
    expect(await getHealth()).toMatchObject({ status: 'ok', inProgress: 0 })
  })

  it.each(['/summaries', '/summaries/stream'])(
    'cancels the request to the API when a caller of %s disconnects',
    async (path) => {
      const { post, getHealth, simulator } = await startHttp({ script: () => stall })
      const caller = new AbortController()
      const answer = post(path, 'High water is at 06:12.', { signal: caller.signal }).catch(() => 'gone')
      await vi.waitUntil(() => simulator.stats().requests === 1, longWait)
      expect(await getHealth()).toMatchObject({ inProgress: 1 })
      caller.abort()
      expect(await answer).toBe('gone')
      await vi.waitUntil(() => simulator.stats().aborted === 1, longWait)
      await vi.waitUntil(async () => (await getHealth())['inProgress'] === 0, longWait)
    },
  )

  it('forgets a caller that disconnects before it has sent its document', async () => {
    const { url, getHealth, simulator, output } = await startHttp({})
    const upload = request(`${url}/summaries`, { method: 'POST' })
    upload.on('error', () => {})
    upload.write('half a docu')
    await vi.waitUntil(async () => (await getHealth())['inProgress'] === 1, longWait)
    upload.destroy()
    await vi.waitUntil(async () => (await getHealth())['inProgress'] === 0, longWait)
    expect(output.stderr).not.toContain('Error')
    expect(simulator.stats().requests).toBe(0)
  })

  it('takes 16 documents at a time', async () => {
    const { post, getHealth } = await startHttp({ script: () => stall })
    const callers = new AbortController()
    const { signal } = callers
    const waiting = Array.from({ length: 16 }, () =>
      post('/summaries', 'A tide.', { signal }).catch(() => {}),
    )
    await vi.waitUntil(async () => (await getHealth())['inProgress'] === 16, longWait)
    const response = await post('/summaries', 'A tide.')
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10'])
    callers.abort()
    await Promise.all(waiting)
  })

  it('finishes the requests in progress after SIGTERM, and takes no new ones', async () => {
    const answers: (() => void)[] = []
    const { child, ended, post, simulator, url } = await startHttp({
      script: ({ index }) => ({
        kind: 'by-hand',
        respond: async (response, message) => {
          await new Promise<void>((answer) => answers.push(answer))
          const body = JSON.stringify(message)
          response.writeHead(200, { 'content-type': 'application/json', 'x-index': index }).end(body)
        },
      }),
    })
    const inProgress = post('/summaries', 'High water is at 06:12.')
    await vi.waitUntil(() => simulator.stats().requests === 1, longWait)
    child.kill('SIGTERM')
    await vi.waitUntil(
      () =>
        fetch(`${url}/health`).then(
          () => false,
          () => true,
        ),
      longWait,
    )
    for (const answer of answers) answer()
    const response = await inProgress
    expect([response.status, await response.json()]).toEqual([
      200,
      { summary: expect.any(String), model: expect.any(String), costUsd: expect.any(Number) },
    ])
    expect((await ended).code).toBe(0)
  })

  it('cancels what is left when the time to drain is over', async () => {
    const { child, ended, post, simulator } = await startHttp({ script: () => stall }, { DRAIN_MS: '50' })
    const inProgress = ['/summaries', '/summaries/stream'].map((path) =>
      post(path, 'A tide.').catch(() => 'cut off'),
    )
    await vi.waitUntil(() => simulator.stats().requests === 2, longWait)
    child.kill('SIGTERM')
    expect(await Promise.all(inProgress)).toEqual(['cut off', 'cut off'])
    expect((await ended).code).toBe(0)
    await vi.waitUntil(() => simulator.stats().aborted === 2, longWait)
  })
})

function readEvents(body: string): Record<string, unknown>[] {
  const events = body.trimEnd().split('\n\n')
  return events.map((event) => JSON.parse(event.replace(/^data: /, '')))
}
