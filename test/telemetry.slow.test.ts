import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Behaviour } from '../src/simulator/script.ts'
import { answerAfter, createGate } from './support/manual-response.ts'
import { createFolder, type RunOptions, runCli, startCli, startService } from './support/run-cli.ts'

const register = pathToFileURL(fileURLToPath(new URL('support/register-otel.mjs', import.meta.url))).href

type Value = string | number | boolean | readonly Value[]

interface OtlpValue {
  readonly stringValue?: string
  readonly intValue?: number | string
  readonly doubleValue?: number
  readonly boolValue?: boolean
  readonly arrayValue?: { readonly values: readonly OtlpValue[] }
}

interface OtlpSpan {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: { readonly code: number; readonly message?: string }
  readonly attributes: readonly OtlpAttribute[]
}

interface OtlpAttribute {
  readonly key: string
  readonly value: OtlpValue
}

interface OtlpMetric {
  readonly name: string
  readonly unit: string
  readonly sum?: { readonly dataPoints: readonly OtlpPoint[] }
  readonly histogram?: { readonly dataPoints: readonly OtlpPoint[] }
}

interface OtlpPoint {
  readonly attributes: readonly OtlpAttribute[]
  readonly asDouble?: number
  readonly asInt?: number | string
  readonly sum?: number
  readonly count?: number | string
}

function readValue({ stringValue, intValue, doubleValue, boolValue, arrayValue }: OtlpValue): Value {
  if (arrayValue !== undefined) return arrayValue.values.map(readValue)
  if (intValue !== undefined) return Number(intValue)
  return stringValue ?? doubleValue ?? boolValue ?? ''
}

function readAttributes(attributes: readonly OtlpAttribute[]): Record<string, Value> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, readValue(value)]))
}

/** Starts a receiver of OTLP over HTTP. */
async function startReceiver() {
  const bodies: { readonly path: string; readonly text: string }[] = []
  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    bodies.push({ path: request.url ?? '', text: (await buffer(request)).toString() })
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  }
  const server = createServer((request, response) => void receive(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const select = <Item>(path: string, get: (body: never) => readonly Item[]) =>
    bodies.flatMap((body) => (body.path === path ? get(JSON.parse(body.text) as never) : []))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    getText: () => bodies.map(({ text }) => text).join('\n'),
    getSpans: () =>
      select(
        '/v1/traces',
        ({ resourceSpans }: { resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[] }) =>
          resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
      ).map((span) => ({ ...span, attributes: readAttributes(span.attributes) })),
    getPoints: (name: string) =>
      select(
        '/v1/metrics',
        ({ resourceMetrics }: { resourceMetrics: { scopeMetrics: { metrics: OtlpMetric[] }[] }[] }) =>
          resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics)),
      )
        .filter((metric) => metric.name === name)
        .flatMap(({ sum, histogram }) => [...(sum?.dataPoints ?? []), ...(histogram?.dataPoints ?? [])])
        .map((point) => ({ ...point, attributes: readAttributes(point.attributes) })),
  }
}

const documents = {
  'docs/a.md': 'The ferry sails at nine.',
  'docs/b.md': 'The mill is old.',
  'docs/c.md': '',
}

async function start(
  behave: (text: string, count: number) => Behaviour = () => ({ kind: 'answer', delayMs: 1 }),
) {
  const cwd = await createFolder(documents)
  const counts = new Map<string, number>()
  const { env, simulator } = await startService({
    script({ request: { text } }) {
      counts.set(text, (counts.get(text) ?? 0) + 1)
      return behave(text, counts.get(text) ?? 0)
    },
    batches: { durationMs: 5, chooseFault: () => undefined },
  })
  const receiver = await startReceiver()
  const options = (more: Record<string, string> = {}): RunOptions => ({
    cwd,
    env: {
      ...env,
      NODE_OPTIONS: `--import ${register}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      ...more,
    },
  })
  const run = (args: readonly string[], more?: Record<string, string>) => runCli(args, options(more))
  return { ...receiver, cwd, simulator, run, options }
}

describe('an OpenTelemetry SDK that NODE_OPTIONS starts', () => {
  it('receives a span for the run, its documents and their requests', async () => {
    const { run, getSpans, getText } = await start((text, count) =>
      text.includes('mill') && count === 1
        ? { kind: 'status', status: 529, headers: { 'retry-after': '0' } }
        : { kind: 'answer', delayMs: 1, text: 'A secret summary.' },
    )
    const { code, stderr } = await run(['summarize', 'docs', '--report', 'report.json'])
    expect([code, stderr]).toEqual([0, expect.stringContaining('2 summarized')])
    const spans = getSpans()
    const named = (name: string) => spans.filter((span) => span.name === name)
    const [runSpan, ...otherRuns] = named('claude-batch run')
    expect(otherRuns).toEqual([])
    expect(runSpan?.attributes).toMatchObject({
      'claude_batch.prompt': 'summarize@v3',
      'claude_batch.documents.summarized': 2,
      'claude_batch.documents.skipped': 1,
      'claude_batch.requests': 3,
      'gen_ai.provider.name': 'anthropic',
    })
    const byPath = new Map(
      named('claude-batch document').map((span) => [span.attributes['claude_batch.document.path'], span]),
    )
    expect([...byPath.keys()].sort()).toEqual(['docs/a.md', 'docs/b.md', 'docs/c.md'])
    for (const { parentSpanId, traceId } of byPath.values())
      expect([parentSpanId, traceId]).toEqual([runSpan?.spanId, runSpan?.traceId])

    const requests = named('chat claude-haiku-5-5')
    expect(
      requests.map(({ kind, parentSpanId, attributes }) => [
        kind,
        parentSpanId === byPath.get(attributes['claude_batch.document.path'] ?? '')?.spanId,
      ]),
    ).toEqual([
      [3, true],
      [3, true],
      [3, true],
    ])
    const failed = requests.filter(({ attributes }) => attributes['error.type'] !== undefined)
    expect(failed).toEqual([
      expect.objectContaining({
        status: expect.objectContaining({ code: 2 }),
        attributes: expect.objectContaining({
          'error.type': '529',
          'claude_batch.document.path': 'docs/b.md',
          'claude_batch.request.attempt': 1,
        }),
      }),
    ])
    const answered = requests.find(({ attributes }) => attributes['error.type'] === undefined)
    expect(answered?.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': 'claude-haiku-5-5',
      'gen_ai.response.model': 'claude-haiku-5-5',
      'gen_ai.response.finish_reasons': ['end_turn'],
      'gen_ai.usage.input_tokens': expect.any(Number),
      'gen_ai.usage.output_tokens': expect.any(Number),
      'claude_batch.cost_usd': expect.any(Number),
      'claude_batch.request.id': expect.stringMatching(/^req_/),
      'server.address': '127.0.0.1',
      'server.port': expect.any(Number),
    })
    const sum = (key: string) =>
      requests.reduce((total, { attributes }) => total + Number(attributes[key] ?? 0), 0)
    expect(runSpan?.attributes).toMatchObject({
      'gen_ai.usage.input_tokens': sum('gen_ai.usage.input_tokens'),
      'gen_ai.usage.output_tokens': sum('gen_ai.usage.output_tokens'),
    })
    expect(runSpan?.attributes['claude_batch.cost_usd']).toBeCloseTo(sum('claude_batch.cost_usd'), 12)
    expect(getText()).not.toMatch(/ferry sails|mill is old|secret summary|sk-ant|simulated-key/i)
  })

  it('receives metrics for tokens, cost, latency, waiting and documents', async () => {
    const { run, getPoints, simulator } = await start()
    expect(await run(['summarize', 'docs'])).toMatchObject({ code: 0 })
    const { inputTokens, outputTokens } = simulator.stats().billed
    const tokens = getPoints('gen_ai.client.token.usage')
    expect(tokens.map(({ attributes, sum }) => [attributes['gen_ai.token.type'], sum])).toEqual([
      ['input', inputTokens],
      ['output', outputTokens],
    ])
    const [duration] = getPoints('gen_ai.client.operation.duration')
    expect([Number(duration?.count), (duration?.sum ?? 0) > 0]).toEqual([2, true])
    expect(Number(getPoints('claude_batch.request.wait.duration')[0]?.count)).toBe(2)
    expect(getPoints('claude_batch.cost')[0]?.asDouble).toBeGreaterThan(0)
    const statuses = getPoints('claude_batch.documents').map(({ attributes, asDouble, asInt }) => [
      attributes['claude_batch.document.status'],
      Number(asInt ?? asDouble),
    ])
    expect(Object.fromEntries(statuses)).toEqual({ summarized: 2, skipped: 1 })
  })

  it('receives the tokens of batches, whose requests have no span', async () => {
    const { run, getPoints, getSpans } = await start()
    const { code, stdout } = await run(['summarize', 'docs', '--batch', '--report', '-'])
    expect(code).toBe(0)
    const total = getPoints('gen_ai.client.token.usage')
      .filter(({ attributes }) => attributes['gen_ai.token.type'] === 'input')
      .reduce((sum, point) => sum + (point.sum ?? 0), 0)
    expect(total).toBe(JSON.parse(stdout).totals.input_tokens)
    // The canary was sent live.
    expect(getSpans().filter(({ name }) => name.startsWith('chat '))).toHaveLength(1)
  })

  it('can make the run a part of another trace', async () => {
    const { run, getSpans } = await start()
    const [traceId, parentId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']
    await run(['summarize', 'docs'], { TRACEPARENT: `00-${traceId}-${parentId}-01` })
    expect(new Set(getSpans().map((span) => span.traceId))).toEqual(new Set([traceId]))
    expect(getSpans().find(({ name }) => name === 'claude-batch run')?.parentSpanId).toBe(parentId)
  })

  it('receives everything of a run that a signal stops', async () => {
    const { opened, open } = createGate()
    const at = await start(() => answerAfter(opened))
    const isSent = () => at.simulator.stats().requests > 0
    const { child, ended } = await startCli(['summarize', 'docs'], at.options(), isSent)
    child.stderr?.on('data', (text) => {
      if (`${text}`.includes('interrupt again')) open()
    })
    child.kill('SIGINT')
    expect(await ended).toMatchObject({ signal: 'SIGINT' })
    expect(at.getSpans().map(({ name }) => name)).toContain('claude-batch run')
  })

  it('receives the requests of compare', async () => {
    const other = await start()
    expect(await other.run(['compare', 'docs', '--models', 'haiku,sonnet'])).toMatchObject({ code: 0 })
    expect(other.getSpans().filter(({ name }) => name === 'chat claude-sonnet-5-5')).toHaveLength(2)
  })

  it('changes nothing if its receiver is not there', async () => {
    const { run } = await start()
    const ended = await run(['summarize', 'docs'], { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })
    expect(ended).toMatchObject({ code: 0, stdout: '' })
    expect(ended.stderr).not.toMatch(/error|ECONNREFUSED/i)
  })
})
