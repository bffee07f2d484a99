import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { link, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assignOutputPaths } from '../../src/core/document/output-path.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { type CheckedRun, runChecked } from '../support/run-checked.ts'
import { createFolder, startService } from '../support/run-cli.ts'

const prose = (topic: string) =>
  `# About ${topic}\n\nThe harbour board met about ${topic} and decided to dredge the channel.\n`
const ab = { 'docs/a.md': prose('ale'), 'docs/b.md': prose('beer') }
const summariesOf = (...paths: string[]) => paths.map((path) => `${path}.summary.md`).sort()
const namesOf = (written: Readonly<Record<string, string>>) => Object.keys(written).sort()

/** Runs the program over these files, with a simulator that counts requests. */
async function over(
  files: Record<string, string>,
  args: string[],
  { make, input = '' }: { make?: (cwd: string) => Promise<unknown>; input?: string } = {},
) {
  const cwd = await createFolder(files)
  await make?.(cwd)
  const { env, simulator } = await startService({})
  const ended = await runChecked(['summarize', ...args], { cwd, env, input })
  return { ...ended, cwd, env, hits: simulator.stats().requests }
}

describe('a folder of unusual names and links', () => {
  const long = `docs/${'長'.repeat(84)}.md`
  const [composed, decomposed] = ['docs/\u00e9.md', 'docs/e\u0301.md']
  const foreign = ['docs/CON.txt', 'docs/x .md', 'docs/a:b.md', 'docs/back\\slash.md', 'docs/ .md']
  const twoLines = 'docs/two\nlines.md'
  const hostile = 'docs/\u001b]0;pwn\u0007\r\u009b31m\u202e.md'
  const plain = [
    'docs/a.md',
    'docs/a.txt',
    'docs/-rf.txt',
    '--help.txt',
    'docs/x.txt/c.md',
    long,
    twoLines,
    ...foreign,
  ]
  const kept = ['docs/.git/n.md', 'docs/node_modules/m/r.md', 'docs/.env']
  const hidden = ['docs/.hidden.md', 'docs/.drafts/d.md']

  let cwd: string
  let simulator: Simulator
  let [walked, withHidden, named, jsonl]: CheckedRun[] = []
  let [hitsWalked, hitsHidden] = [0, 0]

  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'claude-batch-test-'))
    const put = async (path: string, content: string) => {
      await mkdir(dirname(join(cwd, path)), { recursive: true })
      await writeFile(join(cwd, path), content)
    }
    for (const path of [...plain, ...kept, ...hidden, 'elsewhere/secret.md']) await put(path, prose(path))
    // A file system that treats two names as equal has the second file already.
    for (const path of ['docs/A.txt', composed, decomposed])
      if (!existsSync(join(cwd, path))) await put(path, prose(path))
    await put(hostile, '')
    await symlink(join(cwd, 'elsewhere/secret.md'), join(cwd, 'docs/link.md'))
    await symlink(join(cwd, 'elsewhere'), join(cwd, 'docs/folder'))
    await symlink('/nowhere/at/all.md', join(cwd, 'docs/broken.md'))
    await symlink('self.md', join(cwd, 'docs/self.md'))

    simulator = await startSimulator({ latency: { medianMs: 5, sigma: 0 } })
    const env = { ANTHROPIC_BASE_URL: simulator.url, ANTHROPIC_API_KEY: 'sk-ant-test-0123456789' }
    const run = (args: string[], more = {}) => runChecked(['summarize', ...args], { cwd, env, ...more })
    walked = await run(['docs', '-v', '--', '--help.txt'])
    hitsWalked = simulator.stats().requests
    withHidden = await run(['docs', '--hidden', '-v'])
    hitsHidden = simulator.stats().requests - hitsWalked
    const bad = [hostile, 'docs/link.md', 'docs/broken.md', 'docs/self.md', '*.nope']
    named = await run([...bad, 'docs/a.md'])
    const onStdout = ['-o', '-', '--format', 'jsonl', '--log', 'run.log', '-v']
    jsonl = await run([twoLines, hostile, ...onStdout], { alsoWrites: ['run.log'] })
  })
  afterAll(async () => {
    await simulator?.close()
    await rm(cwd, { recursive: true, force: true })
  })
  const summaries = () => namesOf(walked?.written ?? {})

  it('I18 a link that leads out of the folder is followed only if it is named', () => {
    expect(walked?.stderr).toContain('docs/link.md: skipped: a symbolic link (--follow follows it)')
    expect(summaries().filter((path) => /link|folder/.test(path))).toEqual([])
    expect(named?.written['docs/link.md.summary.md']).toContain('secret')
  })

  it('I19 a broken link is skipped in a folder, and fails if it is named', () => {
    expect(walked?.stderr).toContain('docs/broken.md: skipped: a symbolic link')
    expect(named?.stderr).toContain('docs/broken.md: the link leads nowhere')
    expect(named?.stderr).toContain('docs/self.md: too many symbolic links')
  })

  it('I20 a line break in a name adds no line to any output, and JSON has the exact name', async () => {
    expect(walked?.stderr).toMatch(/^claude-batch: docs\/two\\x0alines\.md: summarized/m)
    const rowsOf = async (file: string) =>
      (await readFile(join(cwd, file), 'utf8'))
        .trimEnd()
        .split('\n')
        .map((row) => JSON.parse(row))
    const ledger = await rowsOf('summaries/.claude-batch/ledger.jsonl')
    expect(ledger.filter(({ path }) => path === twoLines)).toHaveLength(1)
    expect((await rowsOf('run.log')).map(({ path }) => path)).toEqual([twoLines])
    const lines = jsonl?.stdout.trimEnd().split('\n') ?? []
    expect(lines.map((line) => JSON.parse(line).path)).toEqual([hostile, twoLines])
  })

  it('I21 control characters in a name are escaped on stderr and in error records', () => {
    expect(named?.stderr).toContain('docs/\\x1b]0;pwn\\x07\\x0d\\x9b31m\\u{202e}.md: ')
    const everything = [walked, named, jsonl].map((run) => run?.stderr).join('')
    expect(everything).not.toMatch(/[\u0007\r\u001b\u009b\u202e]/)
    expect(named?.written[`${hostile}.error.txt`]).toBe('ERROR: input empty: the document is empty\n')
  })

  it('I22 names that look like flags work inside a folder and after --', () => {
    expect(summaries()).toEqual(expect.arrayContaining(summariesOf('docs/-rf.txt', '--help.txt')))
  })

  it('I24 a document with a name of 255 bytes gets a summary with a shorter name', () => {
    const [summary = ''] = summaries().filter((path) => path.startsWith('docs/長'))
    expect(summary).toMatch(/^docs\/長+~[0-9a-f]{12}\.summary\.md$/)
    expect(Buffer.byteLength(summary)).toBeLessThanOrEqual('docs/'.length + 255)
  })

  it('I25 a.md and a.txt get separate summaries', () => {
    expect(walked?.written['docs/a.md.summary.md']).toContain('docs/a.md')
    expect(walked?.written['docs/a.txt.summary.md']).toContain('docs/a.txt')
  })

  it('I26 A.txt and a.txt get separate summaries', (context) => {
    if (!existsSync(join(cwd, 'docs/a.txt')) || sameFile('docs/A.txt', 'docs/a.txt'))
      return context.skip('this file system takes them for one')
    expect(walked?.written['docs/A.txt.summary.md']).toContain('docs/A.txt')
  })

  it('I27 é composed and é decomposed get separate summaries', (context) => {
    if (sameFile(composed, decomposed)) return context.skip('this file system takes them for one')
    expect(summaries()).toEqual(expect.arrayContaining(summariesOf(composed, decomposed)))
  })

  it('I28 names that other systems reject are kept unchanged', () => {
    expect(summaries()).toEqual(expect.arrayContaining(summariesOf(...foreign)))
  })

  it('I30 a directory with the name x.txt is searched', () => {
    expect(summaries()).toContain('docs/x.txt/c.md.summary.md')
  })

  it('I35 a pattern without a match is reported, and the other inputs are summarized (exit 1)', () => {
    expect(named?.code).toBe(1)
    expect(named?.stderr).toContain('claude-batch: no files match "*.nope"\n')
  })

  it('I40 .git, node_modules, .env and hidden files are ignored; --hidden adds hidden documents', () => {
    expect(walked?.code).toBe(0)
    expect(summaries()).toHaveLength(hitsWalked)
    expect(summaries().filter((path) => /\/\.|node_modules/.test(path))).toEqual([])
    expect(withHidden?.code).toBe(0)
    expect(hitsHidden).toBe(hidden.length)
    expect(namesOf(withHidden?.written ?? {})).toEqual(expect.arrayContaining(summariesOf(...hidden)))
  })

  const sameFile = (one: string, other: string) =>
    readFileSync(join(cwd, one), 'utf8') === readFileSync(join(cwd, other), 'utf8')
})

describe('followed links', () => {
  it('I17 I19 every file is sent once despite loops of links, and broken links are reported', async () => {
    const make = async (cwd: string) => {
      await mkdir(join(cwd, 'docs/one/deep'), { recursive: true })
      await mkdir(join(cwd, 'docs/two/deep'), { recursive: true })
      await symlink('..', join(cwd, 'docs/one/loop'))
      await symlink('.', join(cwd, 'docs/two/loop'))
      await symlink('../../..', join(cwd, 'docs/two/deep/loop'))
      await symlink('/nowhere/at/all.md', join(cwd, 'docs/broken.md'))
      await symlink('self.md', join(cwd, 'docs/self.md'))
    }
    const files = { ...ab, 'docs/one/c.md': prose('cider'), 'docs/two/deep/d.md': prose('dew') }
    const { code, hits, written, stderr } = await over(files, ['docs', '--follow', '-v'], { make })
    expect([code, hits]).toEqual([0, 4])
    expect(namesOf(written)).toHaveLength(4)
    for (const name of ['broken', 'self'])
      expect(stderr).toContain(`docs/${name}.md: skipped: the link leads nowhere`)
  })

  it('I18 --follow stays inside the input folder', async () => {
    const make = async (cwd: string) => {
      await symlink(join(cwd, 'elsewhere/secret.md'), join(cwd, 'docs/link.md'))
      await symlink(join(cwd, 'elsewhere'), join(cwd, 'docs/folder'))
      await symlink('.inner/c.md', join(cwd, 'docs/c.md'))
    }
    const files = { ...ab, 'elsewhere/secret.md': prose('secrets'), 'docs/.inner/c.md': prose('cider') }
    const { code, hits, written } = await over(files, ['docs', '--follow'], { make })
    expect([code, hits]).toEqual([0, 3])
    expect(namesOf(written)).toEqual(summariesOf('docs/a.md', 'docs/b.md', 'docs/c.md'))
  })
})

describe('file names', () => {
  const misnamed = (folder: string, ...bytes: number[]) =>
    Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(bytes), Buffer.from('.md')])

  it('I23 a name that is not UTF-8 is reported as such, not as vanished', async (context) => {
    let possible = true
    const make = async (cwd: string) => {
      try {
        writeFileSync(misnamed(join(cwd, 'docs'), 0xe9), prose('bytes'))
        await mkdir(misnamed(join(cwd, 'docs'), 0xe8, 0x20, 0xff))
      } catch {
        possible = false
      }
    }
    const { code, stderr, hits, written } = await over(ab, ['docs'], { make })
    if (!possible) return context.skip('this file system has no such names')
    expect([code, hits]).toEqual([1, 2])
    expect(stderr).toContain('docs/\ufffd.md: its name is not UTF-8; rename it')
    expect(stderr).toContain('the name of this directory is not UTF-8; rename it')
    expect(stderr).not.toContain('vanished')
    expect(namesOf(written).filter((name) => name.endsWith('.error.txt'))).toHaveLength(2)
  })

  it('I24 a document with a path of 4096 bytes fails before it is sent', async () => {
    const make = async (cwd: string) => {
      let folder = join(cwd, 'docs')
      while (folder.length + 201 < 4080) folder += `/${'d'.repeat(200)}`
      await mkdir(folder, { recursive: true })
      await writeFile(`${folder}/long.md`, prose('depth'))
    }
    const { code, hits, written, stderr } = await over(ab, ['docs'], { make })
    expect([code, hits]).toEqual([1, 2])
    expect(namesOf(written)).toEqual(summariesOf('docs/a.md', 'docs/b.md'))
    expect(stderr).toContain('the name of its summary would be longer than')
  })

  it.each([
    ['I26 A.txt and a.txt', 'docs/A.txt', 'docs/a.txt'],
    ['I27 é composed and é decomposed', 'docs/\u00e9.txt', 'docs/e\u0301.txt'],
  ])('%s get different output paths if the file system treats their names as equal', (_name, one, other) => {
    const name = assignOutputPaths([{ path: one }, { path: other }], {
      caseInsensitive: true,
      existingSummaries: [],
    })
    expect(name(one).summary).toBe(`${one}.summary.md`)
    expect(name(other).summary).toMatch(/\.txt\.~[0-9a-f]{12}\.summary\.md$/)
  })
})

describe('inputs', () => {
  it('I29 a file that is named in five ways is sent once, and duplicates are counted', async () => {
    const args = ['docs/a.md', './docs/a.md', 'docs/../docs/a.md', 'docs', 'docs/*.md']
    const { code, hits, stderr } = await over(ab, args)
    expect([code, hits]).toEqual([0, 2])
    expect(stderr).toMatch(/4: 2 summarized, 2 skipped \(2 duplicates/)
  })

  it('I29 stdin that is named twice is one document, and its summary goes to stdout', async () => {
    const { code, hits, stdout, stderr } = await over(ab, ['-', '-'], { input: prose('stdin') })
    expect([code, hits, stdout]).toEqual([0, 1, expect.stringContaining('stdin')])
    expect(stderr).toMatch(/2: 1 summarized, 1 skipped \(1 duplicate: -\)/)
  })

  it('I29 two hard links are two documents with the same content, which is sent once', async () => {
    const make = (cwd: string) => link(join(cwd, 'docs/a.md'), join(cwd, 'docs/z.md'))
    const { code, hits, written } = await over(ab, ['docs', 'docs/z.md'], { make })
    expect([code, hits]).toEqual([0, 2])
    expect(namesOf(written)).toEqual(summariesOf('docs/a.md', 'docs/b.md', 'docs/z.md'))
  })

  it('I29 a file that is also reached through a link is sent once, and the duplicate is counted', async () => {
    const make = async (cwd: string) => {
      await symlink('docs', join(cwd, 'same'))
      await symlink('a.md', join(cwd, 'docs/alias.md'))
    }
    const { code, hits, stderr } = await over(ab, ['docs', 'same', '--follow', '-v'], { make })
    expect([code, hits]).toEqual([0, 2])
    expect(stderr).toContain('docs/alias.md: skipped: the same file as docs/a.md')
    expect(stderr).toContain('same/b.md: skipped: the same file as docs/b.md')
    expect(stderr).toMatch(/6: 2 summarized, 4 skipped \(4 duplicates\)/)
  })

  it('I29 a file that matches two alternatives of a pattern is sent once', async () => {
    const files = { ...ab, 'docs/sub/c.md': prose('cider') }
    const { code, hits } = await over(files, ['{docs,docs/sub}/**/*.md'])
    expect([code, hits]).toEqual([0, 3])
  })

  it.each([
    ['docs/out', ['docs', '-o', 'docs/out']],
    ['.', ['**/*', '-o', '.', '--hidden', '--no-ignore']],
  ])(
    'I32 an output folder %s inside the input is never read as input: the second run sends nothing',
    async (out, args) => {
      const cwd = await createFolder(ab)
      const { env, simulator } = await startService({})
      const run = () => runChecked(['summarize', ...args], { cwd, env, out })
      expect((await run()).code).toBe(0)
      const { code, stderr } = await run()
      expect([code, stderr]).toEqual([
        0,
        expect.stringContaining('documents  2: 0 summarized, 2 skipped (2 unchanged)'),
      ])
      expect(simulator.stats().requests).toBe(2)
    },
  )

  it('I34 I35 inputs of which none exists end the run with 3, and nothing is sent', async () => {
    const { code, stderr, hits } = await over(ab, ['nobody.md', 'lost/', '*.nope'])
    expect([code, hits]).toEqual([3, 0])
    expect(stderr).toBe(
      'claude-batch: nothing matches "nobody.md", "lost/", "*.nope"; check the path or pattern\n',
    )
  })

  it.each([
    ['a file', ['nosuch.md']],
    ['a folder', ['nosuch/']],
    ['an empty string, as from an unset variable,', ['']],
    ['a file in addition to a list', ['nosuch.md', '--files-from', 'list']],
  ])('I34 %s that does not exist stops the run before anything is sent or written', async (_name, args) => {
    const files = { ...ab, list: 'docs/a.md\n' }
    const { code, hits, stderr, written } = await over(files, ['docs', ...args, '*.nope'])
    expect([code, hits, namesOf(written)]).toEqual([3, 0, []])
    expect(stderr).toBe(
      `claude-batch: nothing matches ${JSON.stringify(args[0])}, "*.nope"; correct or remove these inputs (nothing was sent or written)\n`,
    )
  })

  it('I34 a list entry that does not exist fails, and the other documents are summarized', async () => {
    const input = 'docs/a.md\nvanished.md\n'
    const { code, hits, stderr, written } = await over(ab, ['--files-from', '-'], { input })
    expect([code, hits]).toEqual([1, 1])
    expect(stderr).toContain('claude-batch: vanished.md: no such file or directory\n')
    expect(written['vanished.md.error.txt']).toMatch(/^ERROR: input not_found/)
  })

  it('I35 an empty directory is a success, with no output', async () => {
    const { code, stderr } = await over({ 'docs/only.png': 'x' }, ['docs', '-q'])
    expect([code, stderr]).toEqual([0, ''])
  })

  it('I37 a list may have CRLF, blank lines, a byte-order mark, .. in paths, and no line break at its end', async () => {
    const cwd = await createFolder({
      'desk/x.md': prose('desk'),
      'up.md': prose('up'),
      'desk/ y .md': prose('spaces'),
    })
    const { env, simulator } = await startService({})
    const input = '\ufeffx.md\r\n\r\n   \r\n../up.md\r\n../desk/../desk/x.md\n y .md'
    const args = ['summarize', '--files-from', '-']
    const { code, written } = await runChecked(args, {
      cwd: join(cwd, 'desk'),
      env,
      input,
      inOwnProcess: true,
    })
    expect([code, simulator.stats().requests]).toEqual([0, 3])
    expect(namesOf(written)).toEqual(summariesOf('x.md', ' y .md', `${cwd.slice(1)}/up.md`))
  })

  it('I37 a list may be UTF-16 with a byte-order mark, as Windows PowerShell writes it', async () => {
    const { env, simulator } = await startService({})
    const list = Buffer.from('\ufeffdocs/a.md\r\n', 'utf16le')
    const cwd = await createFolder({ ...ab, 'list.txt': list })
    const { code, written } = await runChecked(['summarize', '--files-from', 'list.txt'], { cwd, env })
    expect([code, simulator.stats().requests]).toEqual([0, 1])
    expect(namesOf(written)).toEqual(summariesOf('docs/a.md'))
  })

  it('I37 a list with -0 is read exactly', async () => {
    const cwd = await createFolder({
      'x.md\r': prose('return'),
      'two\nlines.md': prose('lines'),
      '*.md': prose('star'),
    })
    const { env, simulator } = await startService({})
    const args = ['summarize', '--files-from', '-', '-0']
    const { code, written } = await runChecked(args, { cwd, env, input: 'x.md\r\0two\nlines.md\0*.md' })
    expect([code, simulator.stats().requests]).toEqual([0, 3])
    expect(namesOf(written)).toEqual(summariesOf('x.md\r', 'two\nlines.md', '*.md'))
  })
})
