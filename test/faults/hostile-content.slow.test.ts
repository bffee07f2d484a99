import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { marked } from 'marked'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import { openUrl, startBrowser, whyBrowserUnavailable } from '../support/browser.ts'
import { runChecked } from '../support/run-checked.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runOnTerminal, whyTerminalUnavailable } from '../support/terminal.ts'

const prose = (topic: string) =>
  `# About ${topic}\n\nThe harbour board met about ${topic} and decided to dredge the channel.\n`
const abc = { 'docs/a.md': prose('ale'), 'docs/b.md': prose('beer'), 'docs/c.md': prose('cider') }
const answer: Behaviour = { kind: 'answer', delayMs: 5 }
const saying = (text: string): Behaviour => ({ kind: 'answer', delayMs: 5, text })

describe('text from the model', () => {
  it('X06 control sequences in a summary are unchanged in a pipe and escaped on a terminal', async (context) => {
    const loud =
      'A\u001b]52;c;cHduZWQ=\u0007 \u001b]8;;https://evil.example\u001b\\link\u001b]8;;\u001b\\ \u001b[2J\u202eend'
    const cwd = await createFolder({ 'docs/a.md': prose('ale') })
    const { env } = await startService({ script: () => saying(loud) })
    const args = ['summarize', 'docs', '-o', '-', '-q']
    expect((await runChecked(args, { cwd, env, inOwnProcess: true })).stdout).toBe(`${loud}\n`)
    const why = whyTerminalUnavailable()
    if (why !== undefined) return context.skip(why)
    const { code, shown } = await runOnTerminal(args, { cwd, env })
    expect([code, shown.trimEnd()]).toEqual([
      0,
      'A\\x1b]52;c;cHduZWQ=\\x07 \\x1b]8;;https://evil.example\\x1b\\link\\x1b]8;;\\x1b\\ \\x1b[2J\\u{202e}end',
    ])
  })

  it('X07 X08 markup in summaries, names and errors is plain text in a report, and no picture is requested', async (context) => {
    const loud = `<script>document.title = 'pwn'</script>"><img src=https://evil.example/i onerror="document.title = 'pwn'">`
    const quiet =
      '![](https://evil.example/?q=1) [go](javascript:alert(1)) https://evil.example www.evil.example \u001b[2J\u202e'
    const said = `${loud} ${quiet}`
    const name = `docs/"><img onerror=x>' onx='.md`
    const cwd = await createFolder({ [name]: prose('ale'), 'docs/bad.md': prose('beer') })
    const { env } = await startService({
      script: ({ request }) =>
        request.text.includes('beer') ? { kind: 'status', status: 400, message: loud } : saying(said),
    })
    for (const file of ['r.md', 'r.html'])
      expect(
        (
          await runChecked(['summarize', 'docs', '--redo', 'all', '--report', file], {
            cwd,
            env,
            alsoWrites: ['r.md', 'r.html'],
          })
        ).code,
      ).toBe(1)
    const markdown = await readFile(join(cwd, 'r.md'), 'utf8')
    expect(marked.parse(markdown, { async: false })).not.toMatch(/<(script|img|a)\b|\u001b|\u202e/)

    const why = whyBrowserUnavailable()
    if (why !== undefined) return context.skip(why)
    const browser = await startBrowser()
    onTestFinished(() => browser.close())
    const { page, complaints, requests } = await openUrl(browser, `file://${join(cwd, 'r.html')}`)
    const row = page.locator('#table tr', { hasText: 'onx=' })
    expect(await row.locator('.name').textContent()).toBe(name)
    await row.locator('.name').click()
    await expect.poll(() => page.locator('#table').textContent()).toContain(`${loud} ${quiet.slice(0, -5)}`)
    expect(await page.locator('#table').textContent()).toContain('\\x1b[2J\\u{202e}')
    expect(await page.locator('main').textContent()).toContain('400 invalid_request_error: <script>')
    expect(await page.locator('img, a[href^="http"], a[href^="javascript"]').count()).toBe(0)
    expect(await page.title()).toBe('1 of 2 documents summarized – claude-batch')
    expect([...complaints, ...requests]).toEqual([])
  })
})

describe('a file name', () => {
  it('X05 control characters in a name are escaped on a terminal', async (context) => {
    const why = whyTerminalUnavailable()
    if (why !== undefined) return context.skip(why)
    const name = 'docs/\u001b]0;pwn\u0007\r\u202e.md'
    const cwd = await createFolder({
      ...abc,
      [name]: prose('names'),
      [`${name}.bad.md`]: Buffer.from([0xff]),
    })
    const { env } = await startService({})
    const args = ['summarize', 'docs', '-v', '-o', '-', '--progress', 'lines']
    const { code, shown } = await runOnTerminal(args, { cwd, env })
    expect(code).toBe(1)
    expect(shown).toContain('docs/\\x1b]0;pwn\\x07\\x0d\\u{202e}.md: summarized')
    expect(shown).toContain('==> docs/\\x1b]0;pwn\\x07\\x0d\\u{202e}.md <==')
    expect(shown).toContain('docs/\\x1b]0;pwn\\x07\\x0d\\u{202e}.md.bad.md: not UTF-8 from byte 0')
    expect(shown).not.toMatch(/\u001b\]|\u0007|\u202e/)
  })

  it('X05 control characters in a name are escaped next to the progress bar too', async (context) => {
    const why = whyTerminalUnavailable()
    if (why !== undefined) return context.skip(why)
    const cwd = await createFolder({ 'docs/\u001b]0;pwn\u0007.md': Buffer.from([0xff]) })
    const { env } = await startService({})
    const { code, shown } = await runOnTerminal(['summarize', 'docs'], { cwd, env })
    expect([code, shown]).toEqual([
      1,
      expect.stringContaining('docs/\\x1b]0;pwn\\x07.md: not UTF-8 from byte 0'),
    ])
    expect(shown).not.toMatch(/\u001b\]|\u0007/)
  })
})

describe('secrets', () => {
  it('X10 the key appears in no output, file or process list, even after errors', async () => {
    const cwd = await createFolder({ ...abc, 'docs/d.md': prose('dew'), 'docs/e.md': Buffer.from([0xff]) })
    const behaviours: Behaviour[] = [
      { kind: 'status', status: 400, message: 'bad request' },
      { kind: 'reset', inBody: true, delayMs: 1 },
      { kind: 'raw', status: 502, headers: { 'content-type': 'text/html' }, body: '<h1>Bad gateway</h1>' },
      { kind: 'status', status: 401, message: 'invalid x-api-key' },
    ]
    const { env } = await startService({ script: ({ index }) => behaviours[index] ?? answer })
    let commandLine = ''
    // `runChecked` searches all output and files for the key.
    const args = ['summarize', 'docs', '-v', '--log', 'run.log', '--retries', '0', '--concurrency', '1']
    const { code } = await runChecked(args, {
      cwd,
      env: { ...env, ANTHROPIC_LOG: 'debug' },
      alsoWrites: ['run.log'],
      onStart: ({ spawnargs }) => (commandLine = spawnargs.join(' ')),
    })
    expect(code).toBe(4)
    expect(commandLine).not.toContain('sk-ant')
  })

  it('X11 document text appears in no log or ledger, even with the debug log of the SDK', async () => {
    const secret = 'The password of the harbour is hunter2.'
    const cwd = await createFolder({ 'docs/a.md': `${secret}\n`, 'docs/b.md': `${secret} Again.\n` })
    const { env } = await startService({
      script: ({ index }) => (index === 0 ? { kind: 'status', status: 422 } : saying('A summary.')),
    })
    const loud = { ...env, ANTHROPIC_LOG: 'debug', DEBUG: '*' }
    const { code, stdout, stderr } = await runChecked(['summarize', 'docs', '-v', '--log', 'run.log'], {
      cwd,
      env: loud,
      alsoWrites: ['run.log'],
      inOwnProcess: true,
    })
    expect([code, stdout]).toEqual([1, ''])
    const files = ['run.log', 'summaries/.claude-batch/ledger.jsonl', 'summaries/.claude-batch/journal.jsonl']
    const texts = await Promise.all(files.map((file) => readFile(join(cwd, file), 'utf8').catch(() => '')))
    expect(stderr + texts.join('')).not.toMatch(/hunter2|password/)
  })

  const profile = async (mode: number) => {
    const token = { type: 'oauth_token', access_token: 'secret-token', expires_at: 9_999_999_999 }
    const cwd = await createFolder({
      'docs/a.md': prose('ale'),
      '.config/anthropic/configs/default.json': JSON.stringify({ authentication: { type: 'user_oauth' } }),
      '.config/anthropic/credentials/default.json': JSON.stringify(token),
    })
    await chmod(join(cwd, '.config/anthropic/credentials/default.json'), mode)
    const { env, simulator } = await startService({})
    const alone = { HOME: cwd, ANTHROPIC_BASE_URL: env['ANTHROPIC_BASE_URL'] ?? '' }
    const { code, stderr } = await runChecked(['summarize', 'docs'], { cwd, env: alone, inOwnProcess: true })
    expect(stderr).not.toContain('secret-token')
    return { code, stderr, hits: simulator.stats().requests }
  }

  it('X20 a profile is used if only its owner can read it, and refused if it is world-readable', async () => {
    expect(await profile(0o600)).toMatchObject({ code: 0, hits: 1 })
    expect(await profile(0o644)).toMatchObject({ code: 2, hits: 0 })
  })

  it('X20 the error for a world-readable profile names the file and the reason', async () => {
    expect((await profile(0o644)).stderr).toMatch(/credentials\/default\.json.*(chmod|permission|readable)/)
  })
})
