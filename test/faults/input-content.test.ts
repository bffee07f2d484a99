import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { type CheckedRun, runChecked } from '../support/run-checked.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { has } from '../support/system.ts'

const prose = (topic: string) =>
  `# About ${topic}\n\nThe harbour board met about ${topic} and decided to dredge the channel.\n`
const abc = { 'docs/a.md': prose('ale'), 'docs/b.md': prose('beer'), 'docs/c.md': prose('cider') }
const allSummaries = ['docs/a.md.summary.md', 'docs/b.md.summary.md', 'docs/c.md.summary.md']
const answer: Behaviour = { kind: 'answer', delayMs: 5 }

describe('a folder of good and bad documents', () => {
  const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1')
  const elf = Buffer.concat([Buffer.from('7f454c46020101', 'hex'), Buffer.alloc(9)])
  const soft = {
    'empty.md': '',
    'blank.md': '\ufeff \r\n\t\n',
    'photo.txt': heic,
    'tool.txt': elf,
    'nul.txt': 'a\0b',
  }
  const hard = {
    'latin1.txt': Buffer.from('Grüße aus Kärnten\n', 'latin1'),
    'le.txt': Buffer.from('\ufeffGrüße in little endian\n', 'utf16le'),
    'be.txt': Buffer.from('\ufeffGrüße in big endian\n', 'utf16le').swap16(),
    'crlf.txt': '\ufeffFirst line\r\nsecond line\r\n',
    'big.txt': '',
    'sparse.txt': '',
  }
  const good = { 'a.md': prose('ale'), 'z.md': prose('zinc') }
  const pipes = Array.from({ length: 8 }, (_, n) => `pipe${n}.md`)
  const links = { 'zero.md': '/dev/zero', 'stdin.md': '/dev/stdin' }
  const sent: string[] = []
  const cannot = { disk: false, sparse: false, proc: !has.proc }
  let cwd: string
  let simulator: Simulator
  let socket: Server
  let [softly, followed, named, hardly, repaired]: CheckedRun[] = []

  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'claude-batch-test-'))
    simulator = await startSimulator({
      script: ({ request }) => {
        sent.push(request.lastText)
        return answer
      },
    })
    const env = { ANTHROPIC_BASE_URL: simulator.url, ANTHROPIC_API_KEY: 'sk-ant-test-0123456789' }
    for (const [folder, files] of Object.entries({
      soft: { ...soft, ...good },
      hard: { ...hard, ...good },
    })) {
      await mkdir(join(cwd, folder))
      for (const [name, content] of Object.entries(files)) await writeFile(join(cwd, folder, name), content)
    }
    execFileSync('mkfifo', pipes, { cwd: join(cwd, 'soft') })
    for (const [name, target] of Object.entries(links)) await symlink(target, join(cwd, 'soft', name))
    socket = createServer().listen(join(cwd, 'soft/socket.md'))
    await new Promise((resolve) => socket.once('listening', resolve))
    const { status } = spawnSync('mknod', [join(cwd, 'soft/disk.md'), 'b', '7', '0'])
    cannot.disk = status !== 0
    await truncate(join(cwd, 'hard/big.txt'), 50_000_000)
    await truncate(join(cwd, 'hard/sparse.txt'), 1e12).catch(() => {
      cannot.sparse = true
    })

    // Reading some of these files would block this process, so the program runs in another one.
    // A prompt with the path distinguishes files of the same content.
    const run = (...args: string[]) =>
      runChecked(['summarize', ...args, '-v', '--prompt', 'summarize@v2'], {
        cwd,
        env,
        input: 'stdin',
        inOwnProcess: true,
      })
    softly = await run('soft')
    followed = await run('soft', '--follow')
    const special = [...pipes, ...Object.keys(links), 'socket.md', ...(cannot.disk ? [] : ['disk.md'])]
    named = await run(...[...Object.keys(soft), ...special].map((name) => `soft/${name}`))
    hardly = await run('hard', ...(cannot.proc ? [] : ['/proc/version']))
    await writeFile(join(cwd, 'hard/latin1.txt'), 'Grüße aus Kärnten\n')
    for (const name of ['big', 'sparse']) await writeFile(join(cwd, `hard/${name}.txt`), prose(name))
    repaired = await run('hard')
  })
  afterAll(async () => {
    socket?.close()
    await simulator?.close()
    await rm(cwd, { recursive: true, force: true })
  })

  const skipped = (name: string, reason: string) => {
    expect(softly?.code).toBe(0)
    expect(softly?.stderr).toContain(`soft/${name}: skipped: ${reason}`)
    expect(Object.keys(softly?.written ?? {}).sort()).toEqual([
      'soft/a.md.summary.md',
      'soft/z.md.summary.md',
    ])
    expect(named?.code).toBe(1)
    expect(named?.stderr).toMatch(new RegExp(`claude-batch: soft/${name}: ${reason.slice(0, 8)}`))
    expect(named?.written[`soft/${name}.error.txt`]).toContain(reason)
  }
  it('I01 an empty file is skipped in a folder, and fails if it is named', () => {
    skipped('empty.md', 'the document is empty')
  })
  it('I02 a file of white space and a byte-order mark is skipped in a folder, and fails if it is named', () => {
    skipped('blank.md', 'the document is empty')
  })
  it('I03 binary files with the extension .txt are skipped in a folder, and fail if they are named', () => {
    skipped('photo.txt', 'not text (an image that is not PNG, JPEG, GIF, WebP or TIFF); convert it to PNG')
    skipped('tool.txt', 'not text (it contains NUL bytes)')
  })
  it('I04 a text with a NUL is skipped in a folder, and fails if it is named', () => {
    skipped('nul.txt', 'not text (it contains NUL bytes)')
  })

  const notAFile = (name: string, walked = 'not a regular file') => {
    expect(softly?.stderr).toContain(`soft/${name}: skipped: ${walked}`)
    expect(named?.stderr).toContain(`claude-batch: soft/${name}: not a regular file\n`)
    expect(named?.written[`soft/${name}.error.txt`]).toBe('ERROR: input not_a_file: not a regular file\n')
  }
  it('I13 I14 eight pipes are skipped in a folder, fail if they are named, and block nothing', () => {
    for (const pipe of pipes) notAFile(pipe)
  })
  it('I15 links to devices are not read, whether in a folder, with --follow or named', () => {
    for (const link of Object.keys(links)) {
      notAFile(link, 'a symbolic link (--follow follows it)')
      expect(followed?.stderr).toContain(`soft/${link}: skipped: not a regular file`)
    }
    expect(followed?.code).toBe(0)
  })
  it('I16 a socket is skipped in a folder, and fails if it is named', () => notAFile('socket.md'))
  it('I16 a block device is skipped in a folder, and fails if it is named', (context) => {
    if (cannot.disk) return context.skip('making a block device needs privileges')
    notAFile('disk.md')
  })

  const whole = (name: string, text: string) => {
    expect(hardly?.written[`hard/${name}.summary.md`]).toMatch(/^\[simulated\] /)
    expect(sent.filter((prompt) => prompt.includes(`>\n${text}\n</document-`))).toHaveLength(1)
  }
  it('I05 Latin-1 text fails with the position of the first invalid byte, and is never guessed or replaced', () => {
    expect(hardly?.code).toBe(1)
    const reason = 'not UTF-8 from byte 2 on; name its encoding, for example --encoding windows-1252'
    expect(hardly?.stderr).toContain(`claude-batch: hard/latin1.txt: ${reason}`)
    expect(hardly?.written['hard/latin1.txt.error.txt']).toContain(reason)
    expect(sent.join()).not.toContain('\ufffd')
  })
  it('I06 UTF-16 with a byte-order mark is decoded', () => {
    whole('le.txt', 'Grüße in little endian\n')
    whole('be.txt', 'Grüße in big endian\n')
  })
  it('I07 a UTF-8 text with CRLF is sent without its byte-order mark and with LF', () => {
    whole('crlf.txt', 'First line\nsecond line\n')
  })
  it('I08 a file of 50 MB fails with its size and the limit', () => {
    expect(hardly?.written['hard/big.txt.error.txt']).toMatch(
      /^ERROR: input too_large: larger than 10 MB \(50 MB\), more than any model can read; split it\n/,
    )
  })
  it('I39 a sparse file of 1 TB fails as too large', (context) => {
    if (cannot.sparse) return context.skip('this file system has no files of 1 TB')
    expect(hardly?.written['hard/sparse.txt.error.txt']).toMatch(
      /too_large: larger than 10 MB \(1000000 MB\)/,
    )
  })
  it('I39 a file in /proc is read although its size is 0', (context) => {
    if (cannot.proc) return context.skip('/proc is Linux’s')
    expect(hardly?.written['proc/version.summary.md']).toContain('Linux')
  })
  it('I01–I08 once the bad files are fixed, only they are sent, and their error records are removed', () => {
    expect(repaired?.code).toBe(0)
    expect(repaired?.stderr).toMatch(/8: 3 summarized, 5 skipped \(5 unchanged\)/)
    expect(Object.keys(repaired?.written ?? {}).filter((path) => /^hard.*error/.test(path))).toEqual([])
    expect(Math.max(...simulator.stats().prompts.values())).toBe(1)
  })
})

it('I05 --encoding decodes text that is not UTF-8, and --encoding auto detects it; both are reported', async () => {
  const texts: string[] = []
  const { env } = await startService({
    script: ({ request }) => {
      texts.push(request.lastText)
      return answer
    },
  })
  const german = 'Die Größe der Häfen in Kärnten überraschte die Behörde sehr. „Schön“, sagte sie – 5 €.\n'
  const latin1 = Buffer.from(german.replace(/[„“–€]/g, '"'), 'latin1')
  const cwd = await createFolder({
    'docs/a.md': prose('ale'),
    'docs/b.txt': latin1,
    'docs/c.txt': Buffer.concat([latin1, latin1]),
  })
  const said = await runChecked(['summarize', 'docs', '--encoding', 'latin1'], { cwd, env })
  expect([said.code, texts.filter((text) => text.includes('Die Größe der Häfen in Kärnten')).length]).toEqual(
    [0, 2],
  )
  expect(
    said.stderr.match(/docs\/[bc]\.txt is not UTF-8; it and similar documents are read as windows-1252/g),
  ).toHaveLength(1)
  // The detected encoding yields the same text, so nothing is sent again.
  const guessed = await runChecked(['summarize', 'docs', '--encoding', 'auto'], { cwd, env })
  expect([guessed.code, texts.length]).toEqual([0, 3])
  expect(guessed.stderr).toMatch(/is not UTF-8; it and similar documents are read as /)
  const wrong = await runChecked(['summarize', 'docs', '--encoding', 'klingon'], { cwd, env })
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    expect.stringContaining('--encoding: expected an encoding like'),
  ])
})

const tooLong = {
  'docs/long.md': Array.from({ length: 80_000 }, (_, n) => `The board met for the time ${n}. `).join(''),
}

it('I09 a document longer than the context window is summarized in chunks', async () => {
  const cwd = await createFolder({ ...abc, ...tooLong })
  const { env, simulator } = await startService({})
  const args = ['summarize', 'docs', '--model', 'claude-haiku-4-5']
  const { code, written } = await runChecked(args, { cwd, env })
  expect(code).toBe(0)
  expect(Object.keys(written).sort()).toEqual([...allSummaries, 'docs/long.md.summary.md'])
  expect(simulator.stats().requests).toBeGreaterThanOrEqual(3 + 5)
})

it('I09 a document that the API rejects as too long fails with both numbers', async () => {
  const cwd = await createFolder({ ...abc, ...tooLong })
  const { env } = await startService({
    script: ({ request }) =>
      request.lastText.length > 300_000
        ? { kind: 'status', status: 400, message: 'prompt is too long: 525000 tokens > 200000 maximum' }
        : answer,
  })
  const { code, written, stderr } = await runChecked(['summarize', 'docs', '--model', 'claude-haiku-4-5'], {
    cwd,
    env,
  })
  expect(code).toBe(1)
  expect(stderr).toMatch(/docs\/long\.md: .*prompt is too long: \d+ tokens > 200000/)
  expect(Object.keys(written).sort()).toEqual([...allSummaries, 'docs/long.md.error.txt'])
})

it('I11 a file that is deleted between listing and reading fails as vanished', async () => {
  const cwd = await createFolder(abc)
  const { env, simulator } = await startService({
    script: () => {
      rmSync(join(cwd, 'docs/b.md'), { force: true })
      return answer
    },
  })
  const args = ['summarize', 'docs', '--concurrency', '1']
  const { code, stderr, written } = await runChecked(args, { cwd, env, alsoWrites: ['docs/b.md'] })
  expect(code).toBe(1)
  expect(stderr).toContain('claude-batch: docs/b.md: it was deleted during the run')
  expect(Object.keys(written).sort()).toEqual([
    'docs/a.md.summary.md',
    'docs/b.md.error.txt',
    'docs/c.md.summary.md',
  ])
  expect(simulator.stats().requests).toBe(2)
})

it('I12 a file that changes during its request is recorded as it was sent, and redone by the next run', async () => {
  const cwd = await createFolder(abc)
  const sent: string[] = []
  const { env } = await startService({
    script: ({ index, request }) => {
      sent.push(request.lastText)
      if (index === 0) writeFileSync(join(cwd, 'docs/a.md'), prose('something else'))
      return answer
    },
  })
  const args = ['summarize', 'docs', '--concurrency', '1']
  const run = () => runChecked(args, { cwd, env, alsoWrites: ['docs/a.md'] })
  expect((await run()).code).toBe(0)
  expect(sent[0]).toContain(prose('ale'))
  const ledger = await readFile(join(cwd, 'summaries/.claude-batch/ledger.jsonl'), 'utf8')
  expect(ledger).toContain(createHash('sha256').update(prose('ale')).digest('hex'))

  expect((await run()).stderr).toContain('1 (document changed)')
  expect(sent).toHaveLength(4)
  expect(sent[3]).toContain(prose('something else'))
})

it('I13 an ignore file that is a pipe or a device blocks nothing, and no file in its folder is sent', async () => {
  const cwd = await createFolder({ ...abc, 'docs/one/x.md': prose('x'), 'docs/two/y.md': prose('y') })
  execFileSync('mkfifo', [join(cwd, 'docs/one/.gitignore')])
  await symlink('/dev/zero', join(cwd, 'docs/two/.claude-batchignore'))
  const { env, simulator } = await startService({})
  const { code, written } = await runChecked(['summarize', 'docs'], { cwd, env, inOwnProcess: true })
  expect(code).toBe(1)
  expect(written['docs/one.error.txt']).toMatch(
    /^ERROR: input unusable_rules: cannot use .*\.gitignore: not a regular file; fix it, or add --no-ignore/,
  )
  expect(Object.keys(written)).toContain('docs/two.error.txt')
  expect(simulator.stats().requests).toBe(3)
})

it('I36 an empty stdin fails, and nothing is printed where a summary is expected', async () => {
  const cwd = await createFolder({})
  const { env, simulator } = await startService({})
  const { code, stdout, stderr } = await runChecked(['summarize', '-'], { cwd, env, inOwnProcess: true })
  expect(code).toBe(3)
  expect(stdout).toBe('')
  expect(stderr).toContain('claude-batch: -: the document is empty')
  expect(simulator.stats().requests).toBe(0)
})
