// Makes the pictures of the README, in Chromium (`$CHROMIUM`, or /usr/bin/chromium): docs/terminal.png, a run of the
// README's first command in tmux, docs/report.png, the report of a simulated run over generated documents, and
// docs/citations.png, a summary in such a report with two of its passages. Run it after a change of what they show, and look
// at them.
//
//   npm run build && node scripts/pictures.js
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'

const root = resolve(import.meta.dirname, '..')
const program = join(root, 'bin/claude-batch.js')
const cwd = mkdtempSync(join(tmpdir(), 'pictures-'))

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
try {
  await takeTerminalPicture()
  await takeReportPicture()
  await takeCitationsPicture()
} finally {
  await browser.close()
  rmSync(cwd, { recursive: true })
}

/** Runs the command in a terminal of 84 columns, and draws the screen with its colors. */
async function takeTerminalPicture() {
  const command = 'npx claude-batch summarize fixtures/documents --simulate'
  cpSync(join(root, 'fixtures'), join(cwd, 'fixtures'), { recursive: true })
  mkdirSync(join(cwd, 'node_modules/.bin'), { recursive: true })
  symlinkSync(program, join(cwd, 'node_modules/.bin/claude-batch'))
  const tmux = (...args) =>
    execFileSync('tmux', ['-L', `pictures-${process.pid}`, ...args], { encoding: 'utf8' })
  const readScreen = () => tmux('capture-pane', '-p', '-e', '-t', 'run')
  const shell = "env PS1='$ ' CI= bash --norc --noprofile"
  tmux('new-session', '-d', '-s', 'run', '-x', '84', '-y', '20', '-c', cwd, shell)
  try {
    tmux('send-keys', '-t', 'run', '-l', command)
    tmux('send-keys', '-t', 'run', 'Enter')
    while (!/^output [^\n]*\n\$\s*$/m.test(stripColors(readScreen()))) await delay(100)
    const screen = readScreen().trimEnd()
    const page = await browser.newPage({ viewport: { width: 760, height: 400 }, deviceScaleFactor: 2 })
    await page.setContent(renderScreen(screen))
    await page.locator('pre').screenshot({ path: join(root, 'docs/terminal.png') })
  } finally {
    tmux('kill-server')
  }
}

/** Returns a page with the text of a terminal. Understands the colors that claude-batch uses. */
function renderScreen(screen) {
  const escaped = screen.replace(/[&<]/g, (character) => `&#${character.charCodeAt(0)};`)
  let style = ''
  const colored = escaped.replace(/\x1b\[([\d;]*)m/g, (_, codes) => {
    for (const code of codes.split(';')) style = code === '' || code === '0' ? '' : `${style} c${code}`
    return `</span><span class="${style}">`
  })
  return `<!doctype html><style>
    body { margin: 0 }
    pre { margin: 0; padding: 16px 20px; background: #16181d; color: #d7dae0; font: 14px/1.45 monospace; display: inline-block }
    .c1 { font-weight: bold } .c2 { opacity: 0.65 } .c31 { color: #f2777a } .c32 { color: #8fd18f }
    .c33 { color: #e6c370 } .c36 { color: #6cc5cf } .c39 { color: #d7dae0 }
  </style><pre><span>${colored}</span></pre>`
}

function stripColors(text) {
  return text.replace(/\x1b\[[\d;]*m/g, '')
}

/** Draws the top of the report of a run over 240 generated documents. */
async function takeReportPicture() {
  const sentence = 'The harbour, the ferry and the lantern are old; the pilot reads the tide in a ledger.'
  const words = sentence.split(' ')
  for (const [n, folder] of Array.from({ length: 240 }, (_, n) => [n, ['mail', 'notes', 'talks'][n % 3]])) {
    const sentences = Array.from({ length: 40 + ((n * 37) % 160) }, (_, m) =>
      Array.from({ length: 9 }, (_, k) => words[(n * 5 + m * 3 + k * (1 + (m % 4))) % words.length]).join(
        ' ',
      ),
    )
    mkdirSync(join(cwd, 'docs', folder), { recursive: true })
    writeFileSync(join(cwd, 'docs', folder, `${n}.md`), `# Note ${n}\n\n${sentences.join('. ')}.\n`)
  }
  const args = [program, 'summarize', 'docs', '--simulate', '-q', '-o', 'notes', '--report', 'report.html']
  execFileSync(process.execPath, args, { cwd, stdio: 'inherit' })
  const page = await browser.newPage({
    viewport: { width: 1100, height: 1000 },
    colorScheme: 'light',
    timezoneId: 'UTC',
    locale: 'en-US',
  })
  await page.goto(pathToFileURL(join(cwd, 'report.html')).href)
  await page.screenshot({ path: join(root, 'docs/report.png') })
}

/** Draws a summary with citations in a report, with two passages open. */
async function takeCitationsPicture() {
  const input = join(root, 'fixtures/documents/calls')
  const args = [
    program,
    'summarize',
    input,
    '--simulate',
    '--citations',
    '-q',
    '-o',
    'cited',
    '--report',
    'cited.html',
  ]
  execFileSync(process.execPath, args, { cwd, stdio: 'inherit' })
  const page = await browser.newPage({ viewport: { width: 820, height: 1000 }, deviceScaleFactor: 1.5 })
  await page.goto(pathToFileURL(join(cwd, 'cited.html')).href)
  await page.locator('#table .name').first().click()
  await page.locator('.cite').nth(0).click()
  await page.locator('.cite').nth(2).click()
  await page
    .locator('.text')
    .first()
    .screenshot({ path: join(root, 'docs/citations.png') })
}
