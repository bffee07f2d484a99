import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readJsonLines } from '../../src/claude/read-json-lines.ts'

async function read(chunks: readonly (string | Uint8Array)[], longest = 1000) {
  const lines: string[] = []
  const bytes = chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk))
  for await (const line of readJsonLines(bytes, longest)) lines.push(line)
  return lines
}

describe('readJsonLines', () => {
  it('returns the same lines for any chunk boundaries', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue().map((value) => JSON.stringify({ value }))),
        fc.array(fc.nat(200)),
        async (lines, cuts) => {
          const body = Buffer.from(lines.map((line) => `${line}\n`).join(''))
          const at = [0, ...[...cuts].sort((a, b) => a - b), body.length]
          const chunks = at.slice(1).map((end, n) => body.subarray(at[n], end))
          expect(await read(chunks, 1e6)).toEqual(lines)
        },
      ),
    )
  })

  it('skips blank lines', async () => {
    expect(await read(['\n{"a":1}\n\n \t\r\n{"b":2}\r\n\n'])).toEqual(['{"a":1}', '{"b":2}\r'])
  })

  it('truncates a line that is too long, and continues with the next line', async () => {
    expect(await read(['1234', '5678\n12\n', '123456', '7\n'], 5)).toEqual(['12345', '12', '12345'])
  })

  it('throws if the last line is incomplete', async () => {
    await expect(read(['{"a":1}\n{"b":'])).rejects.toMatchObject({ requestError: { kind: 'malformed' } })
    await expect(read(['{"a":1}\nnul'])).rejects.toMatchObject({ requestError: { kind: 'malformed' } })
    // A truncated number is valid JSON, so a last line without a line break must be an object.
    await expect(read(['{"a":1}\n12'])).rejects.toMatchObject({ requestError: { kind: 'malformed' } })
  })

  it('accepts a last line without a line break if it is a complete object', async () => {
    expect(await read(['{"a":1}\n', '{"b":2}'])).toEqual(['{"a":1}', '{"b":2}'])
    expect(await read(['{"a":1}\n  '])).toEqual(['{"a":1}'])
  })
})
