import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeLoneSurrogates, isJson, minifyJson } from '../../../src/core/text/minify-json.ts'

const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 3 })
const number = fc.oneof(
  fc.constantFrom('9007199254740993', '1.0', '-0', '1e400', '1E-7', '0.10', '123456789012345678901234567890'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
)
const text = fc.oneof(
  fc.string({ unit: 'binary' }).map((it) => JSON.stringify(it)),
  fc.constantFrom(
    '"__proto__"',
    '"1"',
    '"\\u0041 \\/ \\ud800"',
    '"a\u2028b\u2029"',
    '" { , } "',
    '"\\\\"',
    '"\\""',
  ),
)
/** JSON as a model may write it: any white space, duplicate keys, numbers beyond the range of a double. */
const { value: json } = fc.letrec<{ value: string; spaced: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('null', 'true', 'false'),
    number,
    text,
    fc.array(tie('spaced'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    fc
      .array(fc.tuple(space, text, space, tie('spaced')), { maxLength: 4 })
      .map((pairs) => `{${pairs.map(([a, key, b, value]) => `${a}${key}${b}:${value}`).join(',')}}`),
  ),
  spaced: fc.tuple(space, tie('value'), space).map((parts) => parts.join('')),
}))

/** The tokens of a JSON text, exactly as written. */
function tokensOf(text: string): string[] {
  return text.match(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s"[\]{},:]+/gs) ?? []
}

describe('minifyJson', () => {
  it('keeps every token exactly as written, and removes the white space between tokens', () => {
    fc.assert(
      fc.property(json, (original) => {
        const minified = minifyJson(original)
        const tokens = tokensOf(original)
        expect(tokensOf(minified)).toEqual(tokens)
        expect(minified).toBe(tokens.join(''))
        expect(minified).not.toMatch(/[\r\n]/)
      }),
    )
  })

  it.each([
    ['a number beyond the precision of a double', ' { "n" : 9007199254740993 } ', '{"n":9007199254740993}'],
    ['a number beyond the range of a double', '{\n"n": 1e400}', '{"n":1e400}'],
    ['a zero fraction and a negative zero', '[ 1.0, -0 ]', '[1.0,-0]'],
    ['keys that look like numbers', '{"b": 1, "2": 1, "1": 1}', '{"b":1,"2":1,"1":1}'],
    ['duplicate keys', '{"a": 1,\r\n"a": 2}', '{"a":1,"a":2}'],
    ['a __proto__ key', '{"__proto__": {"x": 1}}', '{"__proto__":{"x":1}}'],
    ['escapes', '"\\u0041\\/\\ud800 \\n"', '"\\u0041\\/\\ud800 \\n"'],
    ['Unicode line separators', '"a\u2028 \u2029b"', '"a\u2028 \u2029b"'],
    ['brackets and white space within strings', '[" [ , \\" ] ",  ""]', '[" [ , \\" ] ",""]'],
  ])('keeps %s', (_what, original, expected) => {
    expect(minifyJson(original)).toBe(expected)
  })

  it('escapes a lone surrogate, which UTF-8 cannot represent', () => {
    expect(minifyJson('[ "\ud800 \u{1f600}" ]')).toBe('["\\ud800 \u{1f600}"]')
    expect(escapeLoneSurrogates('{ "a": "\udfff" }')).toBe('{ "a": "\\udfff" }')
  })

  it('handles a text of any depth and length', () => {
    const depth = 200_000
    const deep = `${'[ '.repeat(depth)}${' ]'.repeat(depth)}`
    expect(minifyJson(deep)).toBe(`${'['.repeat(depth)}${']'.repeat(depth)}`)
    const long = JSON.stringify('\\"'.repeat(2_000_000))
    expect(minifyJson(` ${long} `) === long).toBe(true)
  })
})

describe('isJson', () => {
  it.each(['', '\ufeff{}', '```json\n{}\n```', '{} {}', "{'a': 1}", '{"a": 1,}'])(
    'returns false for %j',
    (text) => expect(isJson(text)).toBe(false),
  )
})
