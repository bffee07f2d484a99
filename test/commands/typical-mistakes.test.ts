import { execFileSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const documents = {
  'docs/a.md': 'The harbour board met about the channel, and decided nothing.',
  'docs/b.md': 'The ferry is late on Mondays, because its crew changes then.',
}
const simulated = ['summarize', 'docs', '--simulate'] as const

async function setting(files: Readonly<Record<string, string>> = documents) {
  const cwd = await createFolder(files)
  const run = (args: readonly string[], options: { input?: string; env?: Record<string, string> } = {}) =>
    runInProcess(args, { cwd, ...options })
  return { cwd, run }
}

describe('a mistyped name', () => {
  it.each([
    ['--encoding', 'latn1', 'did you mean latin1?'],
    ['--encoding', 'shiftjis2', 'did you mean shift_jis?'],
    ['--encoding', 'windows1253', 'did you mean windows-125'],
    ['--language', 'Germn', 'did you mean German?'],
    ['--language', 'Portugese', 'did you mean Portuguese?'],
    ['--language', 'klingon', 'expected a language in English or its code'],
  ])('%s %s gets a hint', async (flag, value, hint) => {
    const { cwd, run } = await setting()
    const { code, stderr } = await run([...simulated, flag, value])
    expect(code).toBe(2)
    expect(stderr).toContain(hint)
    expect(await readdir(cwd)).toEqual(['docs'])
  })

  it.each([
    ['--encoding', 'latin-1'],
    ['--encoding', 'UTF8'],
    ['--encoding', 'utf_8'],
    ['--encoding', 'Shift-JIS'],
    ['--language', 'Traditional Chinese'],
    ['--language', 'zh-TW'],
    ['--language', 'Deutsch'],
    ['--language', 'ENGLISH'],
    ['--language', 'pt-BR'],
  ])('%s %s is understood', async (flag, value) => {
    const { run } = await setting()
    expect(await run([...simulated, '--dry-run', flag, value])).toMatchObject({ code: 0 })
  })

  it.each([
    ['--digest', '--simulate'],
    ['-o', '-q'],
    ['--instructions', '--quiet'],
    ['--var', '-v'],
  ])('%s without its value does not take %s as one', async (flag, next) => {
    const { run } = await setting()
    const { code, stderr } = await run(['summarize', 'docs', flag, next])
    expect(code).toBe(2)
    expect(stderr).toContain(`needs a value, but ${next} is an option. See claude-batch summarize --help`)
  })

  it.each([
    ['--watch', 'run the same command again'],
    ['--json', '-o - --format jsonl'],
    ['--api-key', 'ANTHROPIC_API_KEY'],
    ['--concurency', 'Did you mean --concurrency?'],
    ['--retris', 'Did you mean --retries?'],
  ])('%s says what to use instead', async (flag, hint) => {
    const { run } = await setting()
    const { code, stderr } = await run([...simulated, flag])
    expect(code).toBe(2)
    expect(stderr).toContain(hint)
  })

  it('a folder in the place of a command says how to summarize it', async () => {
    const { run } = await setting()
    for (const folder of ['docs', './docs', 'notes-2026']) {
      const { code, stderr } = await run([folder])
      expect([code, stderr]).toEqual([2, expect.stringContaining(`use claude-batch summarize ${folder}.`)])
    }
  })

  it('init says that no setup is needed', async () => {
    const { run } = await setting()
    const { code, stderr } = await run(['init'])
    expect(code).toBe(2)
    expect(stderr).toContain('no setup is needed: try claude-batch summarize ./docs --simulate')
  })
})

describe('a name that does not exist', () => {
  it('ends with 3 for a pattern, although a folder of summaries is below', async () => {
    const { run } = await setting()
    expect((await run([...simulated])).code).toBe(0)
    const { code, stderr } = await run(['summarize', '**/*.xyz', '--simulate'])
    expect([code, stderr]).toEqual([3, expect.stringContaining('nothing matches "**/*.xyz"')])
  })

  it.each(['list', 'status', 'collect', 'cancel'])(
    'ends with 3 for the folder of batches %s',
    async (verb) => {
      const { cwd, run } = await setting()
      const { code, stderr } = await run(['batches', verb, 'nosuch'])
      expect([code, stderr]).toEqual([3, expect.stringContaining('no run has written to nosuch')])
      expect(await readdir(cwd)).toEqual(['docs'])
    },
  )
})

describe('a folder in the place of a file', () => {
  it.each(['--prompt', '--schema', '--config', '--files-from', '--digest', '--report', '--log'])(
    'is named in the message about %s',
    async (flag) => {
      const { cwd, run } = await setting({ ...documents, 'sub/x.md': 'x' })
      const { code, stderr } = await run([...simulated, flag, './sub'])
      expect(code).toBe(2)
      expect(stderr).toMatch(
        /^claude-batch: .*sub: .*(folder|not a regular file|expected a name that ends in)/,
      )
      expect((await readdir(cwd)).sort()).toEqual(['docs', 'sub'])
    },
  )
})

describe('a path as other programs write it', () => {
  it('is understood as git quotes it', async () => {
    const { cwd, run } = await setting({
      ...documents,
      'docs/café.md': 'The café was closed for a day.',
      'docs/a "quoted"\tname.md': 'The sign was repainted.',
    })
    const git = (...args: string[]) => execFileSync('git', args, { cwd, encoding: 'utf8' })
    git('init', '-q')
    const input = git('-c', 'core.quotePath=true', 'ls-files', '--others', 'docs')
    expect(input).toContain('"docs/caf\\303\\251.md"\n')
    const { code, stderr } = await run(['summarize', '--files-from', '-', '--simulate'], { input })
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^documents +4: 4 summarized$/m)])
  })

  it('may start with ~ in the configuration and in variables', async () => {
    const { cwd, run } = await setting({ ...documents, 'claude-batch.yaml': 'out: ~/sums\n' })
    const home = join(cwd, 'home')
    expect((await run([...simulated], { env: { HOME: home } })).code).toBe(0)
    expect(await readdir(join(home, 'sums/docs'))).toContain('a.md.summary.md')
    const env = { HOME: home, CLAUDE_BATCH_OUT: '~/more' }
    expect((await run([...simulated], { env })).code).toBe(0)
    expect((await readdir(home)).sort()).toEqual(['more', 'sums'])
    expect((await readdir(cwd)).sort()).toEqual(['claude-batch.yaml', 'docs', 'home'])
  })
})

describe('a report', () => {
  it.each([
    ['--run', 'last'],
    ['--merge', 'summaries'],
    ['--since', '2020-01-01'],
  ])('is text with %s %s, and Markdown only on request', async (...args) => {
    const { run } = await setting()
    await run([...simulated])
    const { code, stdout } = await run(['report', ...args])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^documents +2/m)
    expect(stdout).not.toMatch(/^[#|]/m)
    expect((await run(['report', ...args, '--format', 'md'])).stdout).toMatch(/^#/m)
  })
})

describe('a prompt file that is named as a version', () => {
  it('is pinned by the command that the error advises', async () => {
    const { run } = await setting({
      'x.yaml':
        'versions:\n  v1: { user_template: "Sum {text}" }\n  v2: { user_template: "Shorten {text}" }\n',
    })
    const { code, stdout, stderr } = await run(['prompts', 'pin', './x.yaml@v1'])
    expect(code).toBe(0)
    const advised = /claude-batch prompts pin (\S+) returns/.exec(stdout + stderr)?.[1] ?? ''
    expect((await run(['prompts', 'pin', advised])).code).toBe(0)
  })
})
