import { describe, expect, it } from 'vitest'
import { createSchemaCheck } from '../../../src/inputs/answer-checks/schema-check.ts'

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: { n: { type: 'number' }, list: { type: 'array', items: {}, uniqueItems: true } },
}

describe('createSchemaCheck', () => {
  it('accepts any number that JSON allows', async () => {
    const { findMismatch: flaw } = await createSchemaCheck(schema, '--schema s.json')
    for (const number of ['1e400', '9007199254740993', '-0', '1.0'])
      expect(flaw(`{"n": ${number}}`)).toBeUndefined()
  })

  it('refuses JSON with anything around it', async () => {
    const { findMismatch: flaw } = await createSchemaCheck(schema, '--schema s.json')
    for (const text of ['\ufeff{}', '```json\n{}\n```', 'Here it is: {}', '{}{}'])
      expect(flaw(text)).toBe('the answer is not JSON')
  })

  it('refuses an answer that is nested too deeply to be compared, instead of crashing', async () => {
    const { findMismatch: flaw } = await createSchemaCheck(schema, '--schema s.json')
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    expect(flaw(`{"list": [${deep}, ${deep}]}`)).toBe('the answer is nested too deeply to be checked')
  })
})
