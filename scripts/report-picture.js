// Makes docs/report.png: the report of a simulated run over generated documents, in Chromium (`$CHROMIUM`, or
// /usr/bin/chromium). Run it after a change of the page.
//
//   npm run build && node scripts/report-picture.js
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium } from 'playwright-core'

const root = resolve(import.meta.dirname, '..')
const cwd = mkdtempSync(join(tmpdir(), 'report-picture-'))
const words = 'The harbour, the ferry and the lantern are old; the pilot reads the tide in a ledger.'.split(
  ' ',
)

try {
  for (const [n, folder] of Array.from({ length: 240 }, (_, n) => [n, ['mail', 'notes', 'talks'][n % 3]])) {
    const sentences = Array.from({ length: 40 + ((n * 37) % 160) }, (_, m) =>
      Array.from({ length: 9 }, (_, k) => words[(n * 5 + m * 3 + k * (1 + (m % 4))) % words.length]).join(
        ' ',
      ),
    )
    mkdirSync(join(cwd, 'docs', folder), { recursive: true })
    writeFileSync(join(cwd, 'docs', folder, `${n}.md`), `# Note ${n}\n\n${sentences.join('. ')}.\n`)
  }
  const program = join(root, 'bin/claude-batch.js')
  execFileSync(
    process.execPath,
    [program, 'summarize', 'docs', '--simulate', '-q', '--report', 'report.html'],
    {
      cwd,
      stdio: 'inherit',
    },
  )
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  const options = {
    viewport: { width: 1100, height: 1000 },
    colorScheme: 'light',
    timezoneId: 'UTC',
    locale: 'en-US',
  }
  const page = await browser.newPage(options)
  await page.goto(`file://${cwd}/report.html`)
  await page.screenshot({ path: join(root, 'docs/report.png') })
  await browser.close()
} finally {
  rmSync(cwd, { recursive: true })
}
