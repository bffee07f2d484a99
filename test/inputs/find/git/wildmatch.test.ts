import { describe, expect, it } from 'vitest'
import { wildmatch } from '../../../../src/inputs/find/git/wildmatch.ts'

describe('a pattern of git', () => {
  // From git's own t3070-wildmatch.sh, with paths.
  it.each([
    ['foo', 'foo', true],
    ['*', 'foo', true],
    ['*', 'foo/bar', false],
    ['**', 'foo/bar', true],
    ['foo*', 'foo/bba/arr', false],
    ['foo/**', 'foo/bba/arr', true],
    ['foo/*', 'foo/bba/arr', false],
    ['**/foo', 'foo', true],
    ['**/foo', 'XXX/foo', true],
    ['**/*foo*', 'a/xfoox', true],
    ['foo/**/bar', 'foo/bar', true],
    ['foo/**/**/bar', 'foo/b/a/z/bar', true],
    ['foo/**/bar', 'foobar', false],
    ['f*', 'foo/x', false],
    ['foo**bar', 'foo/baz/bar', false],
    ['t[a-g]n', 'ten', true],
    ['t[!a-g]n', 'ten', false],
    ['t[^a-g]n', 'ton', true],
    ['a[]]b', 'a]b', true],
    ['a[]-]b', 'a-b', true],
    ['a[!/]b', 'a/b', false],
    ['foo\\*', 'foo*', true],
    ['foo\\*bar', 'foobar', false],
    ['f\\\\oo', 'f\\oo', true],
    ['*[al]?', 'ball', true],
    ['[[:alpha:]][[:digit:]]', 'a1', true],
    ['[[:digit:][:upper:][:space:]]', '1', true],
    ['[a[:no:]]', 'a', false],
    ['[a-c', 'a', false],
    ['\\', 'x', false],
    ['??', 'a/', false],
  ])('%j matches %j: %j', (pattern, text, expected) => {
    expect(wildmatch(pattern, text, { pathname: true })).toBe(expected)
  })

  it('without the pathname option matches a slash by a star or question mark', () => {
    expect(wildmatch('f*o', 'f/o')).toBe(true)
    expect(wildmatch('f?o', 'f/o')).toBe(true)
  })

  it.each([
    ['FOO', 'foo', true],
    ['[A-C]', 'b', true],
    ['[[:upper:]]', 'b', true],
    // As in git, which does not fold the case of these.
    ['[B]', 'b', false],
    ['É', 'é', false],
  ])('%j matches %j if case is ignored: %j', (pattern, text, expected) => {
    expect(wildmatch(pattern, text, { ignoreCase: true })).toBe(expected)
  })
})
