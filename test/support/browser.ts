import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'
import { longWait } from './long-wait.ts'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/** Returns why no browser is available, or undefined if there is one. */
export function whyBrowserUnavailable(): string | undefined {
  return existsSync(executablePath)
    ? undefined
    : 'needs Chromium at /usr/bin/chromium, or where $CHROMIUM says'
}

/** Starts a headless browser without background requests. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP notes.example 127.0.0.1',
    ],
  })
}

/**
 * Opens a page and records its errors and requests.
 * @returns the page; `complaints`, its console messages and errors, except for failed loads, which tests
 * cause; and `requests`, the URLs that it requested in addition to its own
 */
export async function openUrl(
  browser: Browser | undefined,
  url: string,
  options: BrowserContextOptions = {},
) {
  if (browser === undefined) throw new Error('there is no browser')
  const context = await browser.newContext(options)
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const consoleErrors: string[] = []
  page.on('console', (message) => {
    const text = message.text()
    if (message.type() !== 'log' && !text.startsWith('Failed to load resource')) consoleErrors.push(text)
  })
  page.on('pageerror', (error) => consoleErrors.push(error.message))
  const requests: string[] = []
  page.on('request', (request) => {
    if (request.url() !== url) requests.push(request.url())
  })
  await page.goto(url)
  return { page, complaints: consoleErrors, requests }
}

/** Opens the page of the server. @returns functions to use the page and to check its content */
export async function openServePage(browser: Browser | undefined, url: string) {
  const { page, complaints } = await openUrl(browser, url)
  const [text, note, summary] = [page.getByLabel('Document'), page.locator('#note'), page.locator('#summary')]
  const button = (name: string) => page.getByRole('button', { name })
  return {
    page,
    complaints,
    text,
    button,
    summary,
    async ask() {
      await text.fill('Boats float.')
      await button('Summarize').click()
    },
    shows: (words: string) => expect.poll(() => summary.textContent(), longWait).toBe(words),
    notes: (words: string | RegExp) => expect.poll(() => note.textContent(), longWait).toMatch(words),
  }
}
