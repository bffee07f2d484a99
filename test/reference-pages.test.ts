import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findGapsInApi, renderApiPage } from './support/api-page.ts'
import {
  renderBatchExample,
  renderExitCodesPage,
  renderModelsPage,
  renderOptionsPage,
  renderSettingsTable,
  replaceGeneratedPart,
} from './support/reference-pages.ts'

const docs = resolve(import.meta.dirname, '../docs')

describe('the reference pages, which `npm run docs` writes', () => {
  it('docs/options.md has every command, argument and option', async () => {
    await expect(renderOptionsPage()).toMatchFileSnapshot(`${docs}/options.md`)
  })

  it('docs/exit-codes.md has every exit code', async () => {
    await expect(renderExitCodesPage()).toMatchFileSnapshot(`${docs}/exit-codes.md`)
  })

  it('docs/configuration.md has every setting', async () => {
    const path = `${docs}/configuration.md`
    const page = replaceGeneratedPart(await readFile(path, 'utf8'), 'settings', renderSettingsTable())
    await expect(page).toMatchFileSnapshot(path)
  })

  it('docs/models.md has every model with its prices', async () => {
    await expect(renderModelsPage()).toMatchFileSnapshot(`${docs}/models.md`)
  })

  it('docs/batches.md calculates its example with the prices of the table', async () => {
    const path = `${docs}/batches.md`
    const page = replaceGeneratedPart(await readFile(path, 'utf8'), 'costs', renderBatchExample())
    await expect(page).toMatchFileSnapshot(path)
  })

  it('every export of the library, with its fields and parameters, has a docstring', () => {
    expect(findGapsInApi()).toEqual([])
  })

  it('docs/api.md has every export of the library, with its docstrings', async () => {
    await expect(renderApiPage()).toMatchFileSnapshot(`${docs}/api.md`)
  })
})
