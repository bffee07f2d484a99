import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxLineChars, parseBatchResultLine } from '../../src/claude/parse-batch-result.ts'

const message = {
  type: 'message',
  model: 'claude-haiku-5-5',
  content: [{ type: 'text', text: 'A summary.' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 10, output_tokens: 5 },
}
const lineWith = (result: unknown, id: unknown = 'abc_1') => JSON.stringify({ custom_id: id, result })
const succeeded = (change: Record<string, unknown>) =>
  lineWith({ type: 'succeeded', message: { ...message, ...change } })

describe('parseBatchResultLine', () => {
  it('parses a successful result as a reply at the batch price', () => {
    expect(parseBatchResultLine(succeeded({}))).toMatchObject({
      customId: 'abc_1',
      result: { reply: { text: 'A summary.', terms: { batch: true } } },
    })
  })

  it.each([
    ['has no result', lineWith(null)],
    ['has a string as its result', lineWith('succeeded')],
    ['has a result without a type', lineWith({})],
    ['has a result of an unknown type', lineWith({ type: 'postponed' })],
    ['has a type that is an object', lineWith({ type: { toString: 1 } })],
    ['has no message', lineWith({ type: 'succeeded' })],
    ['has null as its message', lineWith({ type: 'succeeded', message: null })],
    ['has an array as its message', lineWith({ type: 'succeeded', message: [] })],
    ['has a message of another type', succeeded({ type: 'completion' })],
    ['has no content', succeeded({ content: undefined })],
    ['has null as its content', succeeded({ content: null })],
    ['has an object as its content', succeeded({ content: { text: 'A summary.' } })],
    ['has a null block', succeeded({ content: [...message.content, null] })],
    ['has a block without a type', succeeded({ content: [...message.content, {}] })],
    ['has an object as its text', succeeded({ content: [...message.content, { type: 'text', text: {} }] })],
  ])('reports a line that %s as unreadable, with its custom_id', (_, line) => {
    expect(parseBatchResultLine(line)).toEqual({
      customId: 'abc_1',
      result: { unreadableReason: 'its result is not one that the API documents', line },
    })
  })

  it.each(['null', '7', '"abc_1"', '[]', '{}', lineWith({ type: 'expired' }, 7), lineWith({}, null)])(
    'reports a line without a valid custom_id as unreadable: %s',
    (line) => {
      expect(parseBatchResultLine(line)).toEqual({
        customId: undefined,
        result: { unreadableReason: 'the line of the results has no custom_id', line },
      })
    },
  )

  it('recovers the custom_id of a line that is not JSON if the line starts with it', () => {
    const broken = succeeded({}).slice(0, -9)
    expect(parseBatchResultLine(broken)).toMatchObject({ customId: 'abc_1', result: { line: broken } })
    expect(parseBatchResultLine('<html>').customId).toBeUndefined()
    // A custom_id inside a quoted text does not count.
    const quoting = `{"text":${JSON.stringify(succeeded({}))}`
    expect(parseBatchResultLine(quoting).customId).toBeUndefined()
  })

  it('reports a line beyond the length limit as unreadable, and keeps a part of it', () => {
    const long = `${lineWith({ type: 'succeeded', message }).slice(0, -1)}${' '.repeat(maxLineChars)}`
    const { customId: id, result } = parseBatchResultLine(long.slice(0, maxLineChars))
    expect(id).toBe('abc_1')
    expect(result).toMatchObject({
      unreadableReason: 'the line of the results is longer than 16000000 characters',
      line: long.slice(0, 100_000),
    })
  })

  it.each([undefined, null, 5, 'text', { error: null }, { error: { type: 5 } }, { error: { type: {} } }])(
    'parses an errored result as an API error, even if its error is malformed: %j',
    (error) => {
      expect(parseBatchResultLine(lineWith({ type: 'errored', error })).result).toMatchObject({
        requestError: { kind: 'status', status: 500, type: 'api_error' },
      })
    },
  )

  it('never throws for any line', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((value) => lineWith(value)),
      fc.jsonValue().map((value) => lineWith({ type: 'succeeded', message: value })),
      fc.jsonValue().map((value) => lineWith({ type: 'errored', error: { error: value } })),
      fc.dictionary(fc.constantFrom(...Object.keys(message)), fc.jsonValue()).map(succeeded),
    )
    fc.assert(fc.property(anything, (line) => parseBatchResultLine(line) !== undefined))
  })
})
