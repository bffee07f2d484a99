import { trace } from '@opentelemetry/api'
import { NodeTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-node'
import { afterEach, describe, expect, it } from 'vitest'
import { createCountedFolder } from '../support/counted-folder.ts'

afterEach(() => trace.disable())

const fail = () => {
  throw new Error('this SDK is broken')
}

describe('an OpenTelemetry SDK that throws', () => {
  it.each<[string, Partial<SpanProcessor>]>([
    ['when a span starts', { onStart: fail }],
    ['when a span ends', { onEnd: fail }],
    ['when it sends spans', { forceFlush: fail }],
  ])('loses no summary: %s', async (_when, broken) => {
    const processor = { onStart() {}, onEnd() {}, async forceFlush() {}, async shutdown() {}, ...broken }
    new NodeTracerProvider({ spanProcessors: [processor] }).register()
    const { run, list } = await createCountedFolder({ 'docs/a.md': 'Note a.', 'docs/b.md': 'Note b.' })
    expect(await run(['summarize', 'docs'])).toMatchObject({ code: 0, hits: 2 })
    expect(Object.keys(await list('summaries'))).toHaveLength(2)
  })
})
