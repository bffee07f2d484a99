import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readJsonLines } from '../../src/claude/read-json-lines.ts'

async function read(chunks: readonly (string | Uint8Array)[], longest = 1000) {
  const lines: string[] = []
  const bytes = chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk))
  for await (const line of readJsonLines(bytes, longest)) lines.push(line)
  return lines
}

describe('the lines of a JSONL body', () => {
  it('are the same wherever the chunks are cut', async () => {
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

  it('leave out blank ones', async () => {
    expect(await read(['\n{"a":1}\n\n \t\r\n{"b":2}\r\n\n'])).toEqual(['{"a":1}', '{"b":2}\r'])
  })

  it('that are too long are cut, and do not hold back the others', async () => {
    expect(await read(['1234', '5678\n12\n', '123456', '7\n'], 5)).toEqual(['12345', '12', '12345'])
  })

  it('end with an error where the last run is torn', async () => {
    await expect(read(['{"a":1}\n{"b":'])).rejects.toMatchObject({ requestError: { kind: 'malformed' } })
    await expect(read(['{"a":1}\nnul'])).rejects.toMatchObject({ requestError: { kind: 'malformed' } })
    // Half a number is a number.
    await expect(read(['{"a":1}\n12'])).rejects.toMatchObject({ requestError: { kind: 'malformed' } })
  })

  it('include a last one without a line break where it is a whole object', async () => {
    expect(await read(['{"a":1}\n', '{"b":2}'])).toEqual(['{"a":1}', '{"b":2}'])
    expect(await read(['{"a":1}\n  '])).toEqual(['{"a":1}'])
  })
})
