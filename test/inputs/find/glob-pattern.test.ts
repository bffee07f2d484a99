import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isPattern, splitPattern } from '../../../src/inputs/find/glob-pattern.ts'
import { has } from '../../support/system.ts'

describe('a pattern with backslashes', () => {
  it.each([
    ['docs\\*.md', [{ root: resolve('/w/docs'), pattern: '*.md' }]],
    ['docs\\**\\a?.md', [{ root: resolve('/w/docs'), pattern: '**/a?.md' }]],
    ['docs/sub\\[ab].md', [{ root: resolve('/w/docs/sub'), pattern: '[ab].md' }]],
    ['.\\docs\\*\\b.md', [{ root: resolve('/w/docs'), pattern: '*/b.md' }]],
    ['..\\docs\\*.md', [{ root: resolve('/docs'), pattern: '*.md' }]],
  ])('searches only the folder that it names on Windows: %s', (pattern, parts) => {
    expect(splitPattern(pattern, '/w', '\\')).toEqual(parts)
  })

  it('is a path on Windows if it has no wildcards', () => {
    expect([isPattern('docs\\a.md', '\\'), isPattern('docs\\*.md', '\\')]).toEqual([false, true])
  })

  it.runIf(has.anyName)('escapes the wildcard on other systems', () => {
    expect(splitPattern('docs/\\**.md', '/w', '/')).toEqual([
      { root: resolve('/w/docs'), pattern: '\\**.md' },
    ])
  })
})
