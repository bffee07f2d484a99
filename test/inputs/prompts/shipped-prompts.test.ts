import { describe, expect, it } from 'vitest'
import { parsePromptFile } from '../../../src/inputs/prompts/parse-prompt-file.ts'
import { createPromptFileFromData } from '../../../src/inputs/prompts/prompt-file.ts'
import { shippedPrompts } from '../../../src/inputs/prompts/shipped-prompts.ts'

const context = { name: 'any', origin: 'shipped' }

describe('a shipped prompt', () => {
  it.each([...shippedPrompts])('%s is the same as data and as YAML', (_name, { text, data }) => {
    expect(createPromptFileFromData(data, context)).toEqual(parsePromptFile(text, context))
  })

  it('whose placeholder is wrong for the variables is left to the parser, which names the line', () => {
    const text = 'versions:\n  v1:\n    user_template: Summarize {text} for {reader}.\n'
    const data = { versions: { v1: { user_template: 'Summarize {text} for {reader}.' } } }
    expect(createPromptFileFromData(data, { ...context, vars: [] })).toBeUndefined()
    expect(() => parsePromptFile(text, { ...context, vars: [] })).toThrow(
      'any.yaml:3:20: `user_template` has an unknown placeholder {reader}',
    )
    expect(createPromptFileFromData(data, { ...context, vars: ['reader'] })?.prompts).toHaveLength(1)
  })
})
