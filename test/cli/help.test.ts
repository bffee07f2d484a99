import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { listCommandPaths, listVisibleCommands } from '../../src/cli/visible-commands.ts'
import { createProgram } from '../../src/cli.ts'
import type { Runtime } from '../../src/runtime.ts'
import { runInProcess } from '../support/run-in-process.ts'

const run = (...args: string[]) => runInProcess(args, { cwd: '/', env: {} })
const program = createProgram({} as Runtime, '0', () => {})
const commands = listVisibleCommands(program).map((command) => command.name())

describe('help with the usage', () => {
  it('has the usual width on a terminal that does not know its width', async () => {
    const args = ['summarize', '--help']
    const unknown = await runInProcess(args, { cwd: '/', columns: 0 })
    expect(unknown.stdout).toBe((await run(...args)).stdout)
  })

  it.each(commands)('the help of %s starts with examples whose flags exist', async (command) => {
    const { code, stdout } = await run(command, '--help')
    expect([code, stdout.slice(0, 10)]).toEqual([0, 'Examples:\n'])
    const examples = stdout
      .slice(0, stdout.indexOf('\n\n'))
      .split('\n')
      .filter((line) => line.includes('claude-batch '))
    expect(examples.length).toBeGreaterThan(0)
    for (const example of examples) {
      const [, name = '', rest = ''] = /claude-batch (\S+) ?(.*?)(?: {3}|$)/.exec(example) ?? []
      expect(commands, example).toContain(name)
      const own = (await run(name, '--help')).stdout.replace(/^Examples:[\s\S]*?\n\n/, '')
      for (const [flag] of rest.matchAll(/--[a-z-]+/g)) expect(own, example).toContain(`${flag} `)
    }
  })

  it('claude-batch without arguments prints five lines to stderr', async () => {
    const { code, stdout, stderr } = await run()
    expect([code, stdout, stderr.split('\n').length]).toEqual([2, '', 5])
    expect(stderr).toContain('claude-batch summarize ./docs --simulate')
  })

  it.each([
    [['summarize', 'docs', '--watch'], '; run the same command again'],
    [['summarize', 'docs', '--json'], 'use -o - --format jsonl'],
    [['summarize', 'docs', '-j', '4'], '--concurrency sets its maximum'],
    [['summarize', 'docs', '--api-key', 'sk-ant-secret'], 'set ANTHROPIC_API_KEY'],
    [['summarize', 'docs', '--api-key=sk-ant-secret'], 'set ANTHROPIC_API_KEY'],
    [['serve', '--temperature', '1'], 'current models do not accept it'],
    [['init'], 'no setup is needed'],
    [['estimate', 'docs'], '--dry-run'],
    [['docs'], 'use claude-batch summarize docs'],
    [['./notes'], 'to summarize a folder ./notes, use claude-batch summarize ./notes'],
    [['help', 'status'], 'use claude-batch report'],
  ])('an error about a name of other tools says what to use instead: %j', async (args, hint) => {
    const { code, stderr } = await run(...args)
    expect([code, stderr]).toEqual([2, expect.stringContaining(hint)])
    expect(stderr).not.toContain('secret')
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it('a hint names only options and commands that exist', async () => {
    const source = await readFile(resolve(import.meta.dirname, '../../src/cli/unknown-names.ts'), 'utf8')
    const hints = [...source.matchAll(/^ {2}.*?: ?\n? *'([^']*)',/gm)].map(([, hint = '']) => hint)
    expect(hints.length).toBeGreaterThan(40)
    const all = (await Promise.all(commands.map((name) => run(name, '--help', 'all'))))
      .map(({ stdout }) => stdout)
      .join('')
    for (const hint of hints) {
      for (const [flag] of hint.matchAll(/(?<![\w-])--[a-z-]+/g))
        if (flag !== '--version') expect(all, hint).toContain(flag)
      for (const [, name = ''] of hint.matchAll(/claude-batch (?!--)([a-z]+)/g))
        expect(commands, hint).toContain(name)
    }
  })

  it.each(commands)('the short help of %s is short, and the complete one has every flag', async (command) => {
    const short = (await run(command, '--help')).stdout
    const complete = (await run(command, '--help', 'all')).stdout
    expect((await run('help', command, 'all')).stdout).toBe(complete)
    const options = program.commands.find((it) => it.name() === command)?.options ?? []
    for (const { long = '' } of options) expect(complete).toContain(`${long}`)
    const listed = short.split('\n').filter((line) => /^ {2}(-\w, )?--/.test(line))
    expect(listed.length).toBeLessThanOrEqual(22)
    if (options.length > 20) expect(short).toMatch(/^\d+ more options.*: claude-batch \w+ --help all$/m)
    else expect(short).toBe(complete)
  })

  it.each([40, 50, 60, 72, 80, 120])('the help fits into %i columns', async (columns) => {
    for (const args of [['--help'], ...commands.map((name) => [name, '--help', 'all'])]) {
      const { stdout } = await runInProcess(args, { cwd: '/', env: {}, columns })
      const lines = stdout.split('\n').filter((line) => line.length > columns)
      // A word or an example that is longer than the line cannot be broken.
      for (const line of lines) expect(line.trim()).toMatch(/^\S+$|^claude-batch |^Usage: /)
    }
  })

  it.each([
    [['summarise', 'docs'], 'Did you mean summarize?'],
    [['prompts', 'lst'], 'Did you mean list?'],
    [['summarize', 'docs', '--modell', 'x'], 'Did you mean --model?'],
    [['serve', '--prot', '1'], 'Did you mean --port?'],
  ])('an error about a mistyped name suggests the right one: %j', async (args, hint) => {
    expect(await run(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(hint) })
  })

  it('an error about missing credentials names ANTHROPIC_API_KEY and --simulate', async () => {
    const { code, stderr } = await runInProcess(['summarize', 'README.md'], { cwd: resolve('.'), env: {} })
    expect([code, stderr]).toEqual([2, expect.stringMatching(/set ANTHROPIC_API_KEY .*--simulate/)])
  })
})

describe('the manual page', () => {
  const page = resolve(import.meta.dirname, '../../dist/man/claude-batch.1')

  it('has a section for every command', async () => {
    const roff = await readFile(page, 'utf8')
    expect(listCommandPaths(program)).toContain('batches collect')
    for (const path of listCommandPaths(program)) expect(roff).toContain(`\n.SS ${path}\n`)
  })

  it.skipIf(spawnSync('groff', ['--version']).status !== 0)('is well-formed', () => {
    const { stderr, stdout } = spawnSync('groff', ['-man', '-Tutf8', '-Kutf8', '-ww', page], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(stdout).toContain("claude-batch summarize 'reports/**/*.md' --simulate")
  })
})
