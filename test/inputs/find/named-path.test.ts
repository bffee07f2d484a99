import { describe, expect, it } from 'vitest'
import { chooseSpelling } from '../../../src/inputs/find/named-path.ts'
import { has } from '../../support/system.ts'

describe('chooseSpelling', () => {
  it.runIf(has.anyName)('keeps the path if only the working directory is spelled differently', () => {
    expect(chooseSpelling('/w/a.md', '/W/a.md', '/w')).toBe('/w/a.md')
  })

  it.each([
    ['letters in another case', '/w/DOCS/A.md', '/w/docs/a.md', '/w/docs/a.md'],
    ['accents that are composed in another way', '/w/e\u0301.md', '/w/\u00e9.md', '/w/\u00e9.md'],
    ['a link to another file', '/w/link.md', '/w/docs/a.md', '/w/link.md'],
    ['a file outside the working directory', '/X/A.md', '/x/a.md', '/x/a.md'],
  ])('returns the path of the same document for %s', (_what, path, realPath, expected) => {
    expect(chooseSpelling(path, realPath, '/w')).toBe(expected)
  })
})
