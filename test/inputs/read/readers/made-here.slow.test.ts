import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import fastGlob from 'fast-glob'
import { describe, expect, it } from 'vitest'
import { convertDocument } from '../../../../src/inputs/read/readers/convert-document.ts'
import { findFormatByName } from '../../../../src/inputs/read/readers/document-formats.ts'
import { startBrowser, whyBrowserUnavailable } from '../../../support/browser.ts'
import { measureRecall } from '../../../support/recall.ts'

const documents = resolve(import.meta.dirname, '../../../../fixtures/documents')
const sources = await fastGlob('**/*.md', { cwd: documents, absolute: true })
const noPandoc = spawnSync('pandoc', ['--version']).status !== 0

const textOf = async (file: string) => {
  const format = findFormatByName(file)
  if (format === undefined) throw new Error(`${file} is of no kind`)
  const result = await convertDocument({ format, pdf: 'text', bytes: await readFile(file) })
  if ('action' in result) throw new Error(result.message)
  return result.text
}
const pandoc = (...args: string[]) =>
  execFileSync('pandoc', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
/** Returns the plain text that pandoc makes of a document. */
const plain = (source: string) => pandoc(source, '-t', 'plain', '--wrap=none')

describe('documents that the test creates', () => {
  it.skipIf(noPandoc).each(['docx', 'odt', 'html', 'epub', 'pptx'])(
    'a %s file from pandoc keeps 99 % of its words',
    async (format) => {
      const folder = await mkdtemp(join(tmpdir(), 'claude-batch-test-'))
      expect(sources.length).toBeGreaterThan(3)
      for (const source of sources) {
        const made = join(folder, `made.${format}`)
        pandoc(source, '--standalone', '-o', made)
        const found = measureRecall(plain(source), await textOf(made))
        expect([source, format, found >= 0.99 || found]).toEqual([source, format, true])
      }
    },
  )

  it('a PDF from Chromium keeps 99 % of its words', async (context) => {
    const missing = whyBrowserUnavailable() ?? (noPandoc ? 'needs pandoc' : undefined)
    if (missing !== undefined) return context.skip(missing)
    const folder = await mkdtemp(join(tmpdir(), 'claude-batch-test-'))
    const browser = await startBrowser()
    try {
      const page = await browser.newPage()
      for (const source of sources) {
        const html = join(folder, 'made.html')
        await writeFile(html, pandoc(source, '--standalone'))
        await page.goto(pathToFileURL(html).href)
        await page.pdf({ path: join(folder, 'made.pdf') })
        const found = measureRecall(plain(source), await textOf(join(folder, 'made.pdf')))
        // Arabic vowel signs are placed where there is room, not always after their letter.
        const least = source.endsWith('rihla.md') ? 0.95 : 0.99
        expect([source, found >= least || found]).toEqual([source, true])
      }
    } finally {
      await browser.close()
    }
  })
})
