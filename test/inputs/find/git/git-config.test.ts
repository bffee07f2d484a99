import { describe, expect, it } from 'vitest'
import { parseBoolean, parseGitConfig } from '../../../../src/inputs/find/git/git-config.ts'

const read = (text: string) =>
  parseGitConfig(text).map(({ section, subsection, key, value }) => [
    subsection === undefined ? section : `${section}.${subsection}`,
    key,
    value,
  ])

describe('a git configuration file', () => {
  it.each([
    ['[core]\n\texcludesFile = ~/.ignore\n', [['core', 'excludesfile', '~/.ignore']]],
    ['\ufeff[CORE]\r\nIgnoreCase\r\n', [['core', 'ignorecase', undefined]]],
    [
      '[core] a = b ; why\n# c = d\n  e=f # g',
      [
        ['core', 'a', 'b'],
        ['core', 'e', 'f'],
      ],
    ],
    ['[a]b=" x # y " z "\\"q\\\\" \\tend', [['a', 'b', ' x # y  z "q\\ \tend']]],
    [
      '[a]\nb = one \\\n  two\nc = 3',
      [
        ['a', 'b', 'one   two'],
        ['a', 'c', '3'],
      ],
    ],
    ['[a]\nb = \\\n  two \\\n \n', [['a', 'b', 'two ']]],
    [
      '[a]\nb =\nc = ""',
      [
        ['a', 'b', ''],
        ['a', 'c', ''],
      ],
    ],
    ['[includeIf "gitdir:~/w \\"x\\"/"]\npath = p', [['includeif.gitdir:~/w "x"/', 'path', 'p']]],
    ['[branch.Main]\nx = y', [['branch.main', 'x', 'y']]],
    ['', []],
    [' ; nothing\n', []],
  ])('%j is parsed as by git', (text, entries) => {
    expect(read(text)).toEqual(entries)
  })

  it.each([
    ['a = b', 1],
    ['[core\nx = y', 1],
    ['[core]\nx = y\n= z', 3],
    ['[core]\nx = "y', 2],
    ['[core]\nx y z', 2],
    ['[core]\n[a "b]\n', 2],
  ])('%j is refused, with the line', (text, line) => {
    expect(() => read(text)).toThrow(`line ${line} is malformed`)
  })

  it.each([
    [undefined, true],
    ['Yes', true],
    ['1', true],
    ['-2k', true],
    ['off', false],
    ['', false],
    ['0', false],
    ['maybe', undefined],
  ])('with the value %j has the boolean %j', (value, expected) => {
    expect(parseBoolean({ value })).toBe(expected)
  })
})
