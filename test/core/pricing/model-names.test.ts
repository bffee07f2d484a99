import { describe, expect, it } from 'vitest'
import { findUnknownModel } from '../../../src/core/pricing/model-names.ts'
import { isSameModel, knownModelNames, resolveModelAlias } from '../../../src/core/pricing/models.ts'

describe('the name of a model of the Anthropic API', () => {
  it.each([
    ['hiku', 'haiku'],
    ['Sonet', 'sonnet'],
    ['opsu', 'opus'],
    ['fabel', 'claude-fable-5-2'],
    ['claude-haiku', 'haiku'],
    ['claude', undefined],
    ['claude-hiku-5-5', 'claude-haiku-5-5'],
    ['claude-haiku-5.5', 'claude-haiku-5-5'],
    ['haiku-5-5', 'claude-haiku-5-5'],
    ['haiku5.5', 'claude-haiku-5-5'],
    ['Opus 4.8', 'claude-opus-4-8'],
    ['claude-4-5-haiku', 'claude-haiku-4-5'],
    ['claude_sonnet_5', 'claude-sonnet-5'],
    ['anthropic/claude-opus-4.8', 'claude-opus-4-8'],
    ['us.anthropic.claude-haiku-4-5-20251001-v1:0', 'claude-haiku-4-5'],
    ['claude-haiku-4-5@20251001', 'claude-haiku-4-5'],
    ['gpt-4o-mini', undefined],
    ['gemini-3-pro', undefined],
    ['llama3.2', undefined],
    ['', undefined],
  ])('%j is unknown; the suggestion is %j', (name, suggestion) => {
    expect(findUnknownModel(name)).toEqual({ suggestion })
    if (suggestion !== undefined) expect(findUnknownModel(suggestion)).toBeUndefined()
  })

  it.each([
    ...knownModelNames,
    ...knownModelNames.map((name) => name.toUpperCase()),
    'claude-haiku-4-5-20251001',
    'claude-3-haiku-20240307',
    'claude-mythos-preview',
    // These may come after this version of claude-batch.
    'claude-haiku-6',
    'claude-opus-5-6-20270101',
    'claude-sonnet-preview',
    'claude-aria-1',
  ])('%s may exist', (name) => {
    expect(findUnknownModel(name)).toBeUndefined()
  })

  it('has any case, and is sent in lower case', () => {
    for (const name of knownModelNames) {
      const other = name.charAt(0).toUpperCase() + name.slice(1)
      expect(resolveModelAlias(other)).toBe(resolveModelAlias(name))
      expect(isSameModel(other, name)).toBe(true)
    }
    expect(resolveModelAlias('My-Deployment')).toBe('My-Deployment')
  })
})
