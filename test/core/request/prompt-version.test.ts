import { describe, expect, it } from 'vitest'
import { isOlderPromptVersion } from '../../../src/core/request/prompt-version.ts'

describe('isOlderPromptVersion', () => {
  it.each([
    ['p@v9', 'p@v10', true],
    ['p@v10', 'p@v9', false],
    ['p@v1', 'p@v1', false],
    ['q@v1', 'p@v2', false],
    ['a@b@v1', 'a@b@v2', true],
  ])('of %s and %s returns %s', (one, other, older) => expect(isOlderPromptVersion(one, other)).toBe(older))
})
