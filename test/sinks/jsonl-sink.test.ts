import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/core/run/outcome.ts'
import { createJsonlSink } from '../../src/sinks/jsonl-sink.ts'

async function lineFor(text: string): Promise<string> {
  let written = ''
  const write = async (line: string) => {
    written += line
  }
  const sink = createJsonlSink(write, { structured: true })
  const outcome: Outcome = {
    document: { index: 0, path: 'a.md', namedByUser: true },
    requestMetadata: {
      requestHash: 'k',
      fingerprint: { size: 1, sha256: 's' },
      characters: 1,
      kind: 'prose',
    },
    attempts: [],
    elapsedMs: 1,
    status: 'summarized',
    text,
  }
  await sink.write(outcome)
  await sink.close()
  return written
}

describe('a JSON line for a structured answer', () => {
  it('contains the answer as JSON, on one line', async () => {
    const line = await lineFor('{\n  "n": 1.0\r\n}\n')
    expect(line).toBe(
      '{"format_version":2,"path":"a.md","status":"summarized","summary":{"n":1.0},"attempts":0,"elapsed_ms":1}\n',
    )
  })

  it('replaces half a surrogate pair in text with U+FFFD, and keeps its escape in JSON', async () => {
    expect(await lineFor('no JSON \ud83d')).toContain('"summary":"no JSON \ufffd"')
    expect(await lineFor('{"a":"\\ud83d"}')).toContain('"summary":{"a":"\\ud83d"}')
  })

  it('contains an answer of any depth', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    expect(await lineFor(deep)).toContain(`"summary":${deep},`)
  })

  it.each(['```json\n{}\n```', '\ufeff{}', 'no\nJSON "at all'])(
    'contains an answer that is not JSON as a string: %j',
    async (text) => {
      const line = await lineFor(text)
      expect(line.indexOf('\n')).toBe(line.length - 1)
      expect(JSON.parse(line)).toMatchObject({ summary: text })
    },
  )
})
