import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { renderExitCodesPage, renderOptionsPage, renderSettingsTable } from './support/reference-pages.ts'

const docs = resolve(import.meta.dirname, '../docs')

describe('the reference pages, which `npm run docs` writes', () => {
  it('docs/options.md has every command, argument and option', async () => {
    await expect(renderOptionsPage()).toMatchFileSnapshot(`${docs}/options.md`)
  })

  it('docs/exit-codes.md has every exit code', async () => {
    await expect(renderExitCodesPage()).toMatchFileSnapshot(`${docs}/exit-codes.md`)
  })

  it('docs/configuration.md has every setting', async () => {
    const page = await readFile(`${docs}/configuration.md`, 'utf8')
    const [before = '', , after] = page.split(/(?<=<!-- settings -->\n)([\s\S]*)(?=<!-- end of settings -->)/)
    expect(after).toBeDefined()
    await expect(`${before}${renderSettingsTable()}\n${after}`).toMatchFileSnapshot(
      `${docs}/configuration.md`,
    )
  })
})
