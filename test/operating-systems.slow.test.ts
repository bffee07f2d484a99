import { execFile } from 'node:child_process'
import { cp, link, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createFolder, type ProcessResult, runCli, startCli } from './support/run-cli.ts'
import type { WindowsSettings } from './support/windows.mjs'

const root = resolve(import.meta.dirname, '..')
const preload = pathToFileURL(join(root, 'test/support/windows.mjs')).href

/** Files in the working directory; `../D` is drive D, and `../shares` has the network shares. */
const files = {
  'docs/a.md': '# Ferries\r\n\r\nThe ferry leaves at nine. It is blue.\r\n',
  'docs/sub/b.md': 'The tide is high at ten.\n',
  '../D/data/x.md': 'The keeper has a dog.\n',
  '../D/data/private/z.md': 'A secret.\n',
  '../shares/server/share/docs/y.md': 'The dog sleeps.\n',
  '../shares/server/share/docs/private/z.md': 'A secret.\n',
}

interface Machine {
  readonly cwd: string
  readonly run: (args: readonly string[], settings?: WindowsSettings) => Promise<ProcessResult>
}

const toOptions = (cwd: string, settings: WindowsSettings = {}) => ({
  cwd,
  env: {
    NODE_OPTIONS: `--import=${preload}`,
    WINDOWS: JSON.stringify(settings),
    USERPROFILE: `C:${cwd.replaceAll('/', '\\')}`,
  },
})

/** Prepares a machine with these files. */
async function startMachine(more: Readonly<Record<string, string>> = {}): Promise<Machine> {
  const cwd = join(await createFolder({}), 'w')
  for (const [path, content] of Object.entries({ ...files, ...more })) {
    await mkdir(dirname(join(cwd, path)), { recursive: true })
    await writeFile(join(cwd, path), content)
  }
  return { cwd, run: (args, settings) => runCli(args, toOptions(cwd, settings)) }
}

const summarize = (...args: string[]) => ['summarize', ...args, '--simulate']
/** The paths of the documents that a command would summarize, and its messages. */
async function find({ run }: Machine, ...args: string[]) {
  const { stdout, stderr } = await run([...summarize(...args), '-o', '-', '--format', 'jsonl'])
  const paths = stdout.split('\n').flatMap((line) => (line === '' ? [] : (JSON.parse(line).path as string)))
  return { paths, stderr }
}

const readLedger = (out: string) => readFile(join(out, '.claude-batch/ledger.jsonl'), 'utf8')

describe('claude-batch with the rules of Windows', () => {
  it('summarizes a folder, finds nothing to do in the next run, and shares the ledger with Linux', async () => {
    const { cwd, run } = await startMachine()
    const first = await run(summarize('docs'))
    expect([first.code, first.stderr]).toEqual([0, expect.stringContaining('2 summarized')])
    expect((await readdir(join(cwd, 'summaries/docs'))).sort()).toEqual(['a.md.summary.md', 'sub'])
    expect((await run(summarize('docs'))).stderr).toContain('2 unchanged')
    const ledger = await readLedger(join(cwd, 'summaries'))
    expect([ledger, ledger]).toEqual([
      expect.stringContaining('"path":"docs/sub/b.md"'),
      expect.not.stringContaining('\\\\'),
    ])
    expect((await runCli(summarize('docs'), { cwd })).stderr).toContain('2 unchanged')
  })

  it.each([
    ['docs\\*.md', ['docs/a.md']],
    ['docs\\**\\*.md', ['docs/a.md', 'docs/sub/b.md']],
    ['.\\docs\\sub\\', ['docs/sub/b.md']],
    ['..\\w\\docs\\[ab].md', ['docs/a.md']],
    ['docs\\{a,b}.md', ['docs/a.md']],
    ['docs/sub\\*.md', ['docs/sub/b.md']],
    ['C:docs', ['docs/a.md', 'docs/sub/b.md']],
    ['DOCS\\A.md', ['docs/a.md']],
    ['Docs\\*.md', ['docs/a.md']],
    ['D:\\data\\*.md', ['D:/data/x.md']],
    ['\\\\server\\share\\docs\\*.md', ['//server/share/docs/y.md']],
    ['//server/share/docs/y.md', ['//server/share/docs/y.md']],
    ['nothing\\*.md', []],
  ])('finds the documents of %s', async (input, expected) => {
    expect((await find(await startMachine(), input)).paths).toEqual(expected)
  })

  it.each([
    ['docs', 'docs\\sub', ['docs/a.md']],
    ['docs', 'docs/sub', ['docs/a.md']],
    ['docs', 'SUB', ['docs/a.md']],
    ['docs', '.\\docs\\sub\\', ['docs/a.md']],
    ['docs', '**\\b.md', ['docs/a.md']],
    ['docs', '~\\docs\\sub', ['docs/a.md']],
    ['D:\\data', 'd:\\data\\private', ['D:/data/x.md']],
    ['D:\\data', 'D:/data/private/**', ['D:/data/x.md']],
    ['\\\\server\\share\\docs', '\\\\server\\share\\docs\\private', ['//server/share/docs/y.md']],
    ['\\\\server\\share\\docs', '//Server/share/docs/p*/z.md', ['//server/share/docs/y.md']],
  ])('searches %s without what --exclude %s names', async (input, pattern, expected) => {
    const { paths, stderr } = await find(await startMachine(), input, '--exclude', pattern)
    expect([paths, stderr]).toEqual([expected, expect.not.stringContaining('matches nothing')])
  })

  it('applies the ignore files of nested folders, and none from above to a folder that the user named', async () => {
    const machine = await startMachine({
      '.git/HEAD': 'ref: refs/heads/main\n',
      '.git/objects/x': '',
      '.git/refs/x': '',
      '.gitignore': 'sub/\r\n',
      'docs/.claude-batchignore': 'a.md\r\n',
    })
    expect((await find(machine, '.')).paths).toEqual([])
    expect((await find(machine, 'docs\\sub')).paths).toEqual(['docs/sub/b.md'])
  })

  it('reads lists and settings that Windows PowerShell wrote as UTF-16, and the settings in USERPROFILE', async () => {
    const machine = await startMachine({ '.config/claude-batch/config.yaml': 'model: opus\r\n' })
    expect((await machine.run(['config'])).stdout).toMatch(/model: opus/)
    const write = (name: string, text: string) =>
      writeFile(join(machine.cwd, name), Buffer.from(`\ufeff${text}`, 'utf16le'))
    await write('claude-batch.yaml', 'model: sonnet\r\n')
    await write('list.txt', 'docs\\a.md\r\n')
    expect((await machine.run(['config'])).stdout).toMatch(/model: sonnet/)
    expect((await find(machine, '--files-from', 'list.txt')).paths).toEqual(['docs/a.md'])
  })

  it('gives a document one summary, however its path is spelled', async () => {
    const { cwd, run } = await startMachine()
    for (const input of ['docs\\a.md', 'DOCS\\A.md', 'Docs', 'C:docs\\*.MD']) await run(summarize(input))
    expect(await readdir(join(cwd, 'summaries/docs'), { recursive: true })).toEqual([
      'a.md.summary.md',
      'sub',
      'sub/b.md.summary.md',
    ])
  })

  it('writes summaries, report, log and digest to another drive', async () => {
    const { cwd, run } = await startMachine()
    const outputs = [
      '-o',
      'D:\\out',
      '--report',
      'D:\\r.html',
      '--log',
      'D:\\l.jsonl',
      '--digest',
      'D:\\d.md',
    ]
    expect(await run(summarize('docs', '\\\\server\\share\\docs', ...outputs))).toMatchObject({ code: 0 })
    const drive = join(cwd, '../D')
    expect((await readdir(drive)).sort()).toEqual(['d.md', 'data', 'l.jsonl', 'out', 'r.html'])
    expect(await readdir(join(drive, 'out/server/share/docs'), { recursive: true })).toEqual([
      'private',
      'y.md.summary.md',
      'private/z.md.summary.md',
    ])
    expect((await run(summarize('docs', '-o', 'D:\\out'))).stderr).toContain('2 unchanged')
    expect(await run(['report', 'D:\\out', '--prune'])).toMatchObject({ code: 0 })
  })

  it('reads a PDF', async () => {
    const { cwd, run } = await startMachine()
    const pdf = await readFile(join(root, 'fixtures/kinds/libreoffice.pdf'))
    await writeFile(join(cwd, 'docs/p.pdf'), pdf)
    const { code, stderr } = await run(summarize('docs\\p.pdf'))
    expect([code, stderr]).toEqual([0, expect.stringContaining('1 summarized')])
  })

  it('waits for a virus scanner, and works on a disk without hard links', async () => {
    const { run } = await startMachine()
    const { code, stderr } = await run(summarize('docs'), { busy: 5, hasLinks: false })
    expect([code, stderr]).toEqual([0, expect.stringContaining('2 summarized')])
  })

  it('replaces a state file with hard links, although it is open', async () => {
    const { cwd, run } = await startMachine()
    await run(summarize('docs'))
    for (const name of ['ledger', 'journal'])
      await link(join(cwd, `summaries/.claude-batch/${name}.jsonl`), join(cwd, `${name}.backup`))
    expect(await run(summarize('docs', '--redo', 'all', '--yes'))).toMatchObject({ code: 0 })
  })

  it.each(['NUL', 'con.jsonl', 'sub\\aux', 'lpt1', 'what?.jsonl', 'trailing. '])(
    'refuses %j as the name of a file or folder, and sends nothing',
    async (name) => {
      const { cwd, run } = await startMachine()
      for (const flag of ['--out', '--log'])
        expect(await run(summarize('docs', flag, name))).toMatchObject({
          code: 2,
          stderr: expect.stringContaining('Windows does not allow the name'),
        })
      expect(await readdir(cwd)).toEqual(['docs'])
    },
  )

  it('writes the request log to /dev/stderr', async () => {
    const { run } = await startMachine()
    const { code, stderr } = await run(summarize('docs', '--log', '/dev/stderr'))
    expect([code, stderr]).toEqual([0, expect.stringContaining('"status_code":200')])
  })

  it.each([
    ['C:\\tools\\key.cmd --print', '"key.cmd" needs a shell'],
    ['C:\\tools\\key --print', '"key" was not found'],
  ])('explains how to start a batch file as the key command: %s', async (command, reason) => {
    const { run } = await startMachine()
    const { code, stderr } = await run(['summarize', 'docs', '--key-command', command])
    expect([code, stderr, stderr]).toEqual([
      2,
      expect.stringContaining(`the key command ${reason}`),
      expect.stringContaining('a .cmd or .bat file needs "cmd /c" in front'),
    ])
  })

  it.each([
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const)('ends with the documented exit code after %s', async (signal, code) => {
    const { cwd } = await startMachine()
    const isReady = async () =>
      (await readdir(join(cwd, 'summaries/.claude-batch')).catch(() => [])).length > 0
    const slow = ['summarize', 'docs', '--simulate', '--rpm', '1']
    const { child, ended } = await startCli(slow, toOptions(cwd), isReady)
    child.kill(signal)
    expect(await ended).toMatchObject({ code, signal: null })
  })
})

describe('claude-batch on macOS', () => {
  it('applies an ignore file to names whose accents are decomposed, as programs there write them', async () => {
    const cwd = await createFolder({ 'docs/e\u0301.md': 'A secret.\n', '.claude-batchignore': '\u00e9.md\n' })
    const macOS = `--import=data:text/javascript,Object.defineProperty(process,'platform',{value:'darwin'})`
    const run = (env: Record<string, string>) => runCli(summarize('docs', '--dry-run'), { cwd, env })
    expect((await run({})).stdout).toContain('1 to summarize')
    expect((await run({ NODE_OPTIONS: macOS })).stdout).toContain('0 to summarize')
  })
})

describe('an installation', () => {
  it('works in a folder whose name has spaces, and characters that have a meaning in URLs and shells', async () => {
    const cwd = await createFolder({ 'docs/a.md': 'The ferry leaves at nine.\n' })
    await cp(join(root, 'fixtures/kinds/libreoffice.pdf'), join(cwd, 'docs/p.pdf'))
    const installed = join(cwd, "it's 100 %41 #1 & ?x=1 café 漢", 'claude-batch')
    for (const name of ['bin', 'dist', 'package.json'])
      await cp(join(root, name), join(installed, name), { recursive: true })
    const run = (...args: string[]) =>
      promisify(execFile)(process.execPath, [join(installed, 'bin/claude-batch.js'), ...args], { cwd })
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect((await run('completion', 'bash')).stdout).toContain('claude-batch complete')
    expect((await run('doctor', '--simulate')).stdout).toContain('the simulator answered')
    expect((await run('prompts', 'show', 'summarize')).stdout).toContain('{text}')
    const { stderr } = await run(...summarize('docs', '--report', 'report.html'))
    expect(stderr).toContain('2 summarized')
    expect(await readFile(join(cwd, 'report.html'), 'utf8')).toContain('<style>')
  })
})
