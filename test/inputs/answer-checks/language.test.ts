import { describe, expect, it } from 'vitest'
import { createLanguageCheck, findLanguageName } from '../../../src/inputs/answer-checks/language.ts'

describe('the name of a language', () => {
  it.each([
    ['de', 'German'],
    ['deu', 'German'],
    ['german', 'German'],
    ['Deutsch', 'German'],
    ['FRANÇAIS', 'French'],
    ['日本語', 'Japanese'],
    ['Chinese', 'Chinese'],
    ['Traditional Chinese', 'Traditional Chinese'],
    ['chinese (traditional)', 'Traditional Chinese'],
    ['Chinese, Simplified', 'Simplified Chinese'],
    ['zh-Hant', 'Traditional Chinese'],
    ['pt-BR', 'Brazilian Portuguese'],
    ['Brazilian Portuguese', 'Brazilian Portuguese'],
    ['Portuguese (Brazil)', 'Brazilian Portuguese'],
    ['British English', 'British English'],
    ['English (United Kingdom)', 'British English'],
    ['Swiss High German', 'Swiss High German'],
    ['Filipino', 'Filipino'],
    ['Cantonese', 'Cantonese'],
    ['Norwegian Bokmål', 'Norwegian Bokmål'],
  ])('is found for %s', (text, name) => {
    expect(findLanguageName(text)).toBe(name)
  })

  it.each(['', 'xx', 'Germn', 'Klingonish', 'english and german', '123'])('is unknown for %j', (text) => {
    expect(findLanguageName(text)).toBeUndefined()
  })
})

describe('the check of a language', () => {
  const portuguese =
    'O porto foi dragado na primavera, e os barcos grandes podem agora entrar com qualquer maré sem perigo.'
  const german =
    'Der Hafen wurde im Frühjahr ausgebaggert, und große Schiffe können nun bei jeder Tide einlaufen.'

  it('accepts the language of a variant', () => {
    expect(createLanguageCheck('Brazilian Portuguese')(portuguese)).toBe(true)
    expect(createLanguageCheck('Brazilian Portuguese')(german)).toBe(false)
    expect(createLanguageCheck('Austrian German')(german)).toBe(true)
  })
})
