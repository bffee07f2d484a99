import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import Ajv2020 from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const root = resolve(import.meta.dirname, '../..')
const checker = async (name: string) => {
  const schema = JSON.parse(await readFile(resolve(root, `dist/schemas/${name}.json`), 'utf8')) as object
  const validate = new Ajv2020.default({ allowUnionTypes: true }).compile(schema)
  return (yaml: string) => validate(parse(yaml))
}

describe('the shipped schemas', () => {
  it('accept a valid configuration', async () => {
    const takes = await checker('config')
    for (const yaml of [
      'rpm: 50\nmax-wait: 2h\nidle-timeout: 90\next: md,txt\nexclude: [a, b]\nvar: { audience: kids }\nhidden: true\neffort: low',
      'profiles:\n  night: { model: opus, port: 80 }',
      '{}',
    ])
      expect([yaml, takes(yaml)]).toEqual([yaml, true])
  })

  it.each([
    'max-token: 5',
    'retries: 99',
    'hidden: 1',
    'effort: huge',
    'profiles: { night: { modle: opus } }',
    'max-wait: soon',
  ])('reject an invalid configuration: %s', async (yaml) => {
    expect((await checker('config'))(yaml)).toBe(false)
  })

  it('accept the shipped prompt, and reject a prompt with a mistake', async () => {
    const takes = await checker('prompt')
    const shipped = await readFile(resolve(root, 'prompts/summarize.yaml'), 'utf8')
    expect(takes(shipped)).toBe(true)
    for (const [right, wrong] of [
      ['v2:', 'two:'],
      ['system:', 'sytem:'],
      ['{text}', '{txt}'],
      ['versions:', 'default: 1\nversions:'],
    ] as const)
      expect([wrong, takes(shipped.replaceAll(right, wrong))]).toEqual([wrong, false])
  })
})
