import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openUrl, startBrowser, whyBrowserUnavailable } from '../../support/browser.ts'
import { createExportedFolder } from '../../support/exported-folder.ts'

const reason = whyBrowserUnavailable()

describe.skipIf(reason !== undefined)(`an export as HTML in a browser${reason ? ` (${reason})` : ''}`, () => {
  let browser: Browser | undefined
  beforeAll(async () => {
    browser = await startBrowser()
  })
  afterAll(() => browser?.close())

  it.each([400, 1200])('loads nothing, fits %i pixels and leads to each summary', async (width) => {
    const { cwd, run } = await createExportedFolder({
      [`docs/${'long-name-'.repeat(15)}.md`]: `A long word: ${'x'.repeat(500)}.\n- <img src="http://example.org/a.png">`,
      'docs/facts.md': `{"title":"Facts","list":["${'y'.repeat(300)}"]}`,
      ...Object.fromEntries(
        Array.from({ length: 40 }, (_, n) => [`docs/${n}.md`, `Summary ${n}.\n`.repeat(5)]),
      ),
    })
    await run('-o', 'x.html')
    const { page, complaints, requests } = await openUrl(browser, `file://${join(cwd, 'x.html')}`, {
      viewport: { width, height: 800 },
    })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    await page.getByRole('link', { name: 'docs/facts.md' }).click()
    const heading = page.getByRole('heading', { name: 'docs/facts.md' })
    expect(await heading.evaluate((it) => it.getBoundingClientRect().top)).toBeLessThan(100)
    expect(await page.getByRole('heading').count()).toBe(43)
    // The search of the browser finds only what is shown.
    expect(await page.getByText('Summary 39.').isVisible()).toBe(true)
    expect([complaints, requests]).toEqual([[], []])
  })
})
