import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readJsonMembers } from '../../../src/core/text/json-members.ts'

describe('readJsonMembers', () => {
  it('returns values with the tokens of the text', () => {
    const json = '{ "id" : 9007199254740993, "a\\u0062": [1.0, {"x": "}"}],\n"e": 1e400, "s": "q\\"," }'
    expect([...(readJsonMembers(json) ?? [])]).toEqual([
      ['id', '9007199254740993'],
      ['ab', '[1.0,{"x":"}"}]'],
      ['e', '1e400'],
      ['s', '"q\\","'],
    ])
  })

  it('returns the last of duplicate names', () => {
    expect([...(readJsonMembers('{"a":1,"a":2}') ?? [])]).toEqual([['a', '2']])
  })

  it.each(['[1]', '"a"', '1', 'null', '[{"a":1}]'])('returns undefined for %s', (json) => {
    expect(readJsonMembers(json)).toBeUndefined()
  })

  it('agrees with JSON.parse', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 2), (value, space) => {
        const members = readJsonMembers(JSON.stringify(value, null, space))
        const parsed = Object.fromEntries(
          [...(members ?? [])].map(([name, json]) => [name, JSON.parse(json)]),
        )
        expect(parsed).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})
