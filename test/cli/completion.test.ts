import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { findFlag } from '../../src/cli/add-flags.ts'
import { createProgram } from '../../src/cli.ts'
import type { Runtime } from '../../src/runtime.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const files = {
  'prompts/brief.yaml': 'versions: { v1: { user_template: "{text}" }, v2: { user_template: "{text}" } }',
  'prompts/broken.yaml': 'versions: [',
  'prompts/yours.yml': 'versions: { v1: { user_template: "{text}" } }',
  'prompts/\u001b[2J$(touch x).yaml': 'versions: { v1: { user_template: "{text}" } }',
  'claude-batch.yaml': 'profiles: { night: { rpm: 5 }, day: {} }',
  'docs/a file.md': 'A',
}
const completed = async (...words: string[]) => {
  const { code, stdout, stderr } = await runInProcess(['complete', '--', ...words], {
    cwd: await createFolder(files),
    env: {},
  })
  expect([code, stderr]).toEqual([0, ''])
  return stdout.split('\n').slice(0, -1)
}

describe('claude-batch complete', () => {
  it.each([
    [['su'], ['summarize']],
    [['prompts', 'p'], ['pin']],
    [
      ['prompts', 'pin', 'br'],
      ['brief', 'brief@v1', 'brief@v2', 'broken'],
    ],
    [
      ['prompts', 'pin', 'yo'],
      ['yours', 'yours@v1'],
    ],
    [
      ['prompts', 'diff', 'brief@v1', 'summarize@v'],
      ['summarize@v1', 'summarize@v2', 'summarize@v3'],
    ],
    [['summarize', '--lock'], ['--lock-timeout']],
    [
      ['export', '--format', ''],
      ['jsonl', 'csv', 'md', 'html'],
    ],
    [['export', '--status', 'summarized,fa'], ['summarized,failed']],
    [
      ['summarize', '--effort', ''],
      ['low', 'medium', 'high', 'xhigh', 'max'],
    ],
    [['summarize', 'docs', '--model', 'hai'], ['haiku']],
    [['summarize', '--model=hai'], ['--model=haiku']],
    [
      ['summarize', '-o', 'x', '--prompt', 'brief@'],
      ['brief@v1', 'brief@v2'],
    ],
    [
      ['summarize', '--profile', ''],
      ['night', 'day'],
    ],
    [['compare', '--models', 'haiku,son'], ['haiku,sonnet']],
    [['summarize', '--redo', 'copy,len'], ['copy,length']],
    [
      ['compare', '--prompts', 'brief@v1,brief@v'],
      ['brief@v1,brief@v1', 'brief@v1,brief@v2'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    // Files are completed by the shell.
    [['summarize', 'do'], []],
    [['summarize', '--out', ''], []],
    [
      ['nonsense', '--flag', 'x', ''],
      ['summarize', 'compare', 'report', 'prompts', 'serve', 'simulate', 'config', 'completion'],
    ],
  ])('prints the completions of %j', async (words, expected) => {
    const all = await completed(...words)
    if (words[0] !== 'nonsense') expect(all).toEqual(expected)
    else expect(expected.concat('')).toEqual(expect.arrayContaining(all))
  })

  it('offers only values that the flag of that command accepts', async () => {
    const cwd = await createFolder({
      'prompts/brief.yaml': 'versions:\n  v1:\n    user: "Brief: {content}"\n',
      'claude-batch.yaml': 'profiles:\n  night:\n    model: haiku\n',
    })
    const program = createProgram({ argv: [] } as unknown as Runtime, '0', () => {})
    let offered = 0
    const visit = async (command: Command, path: readonly string[]): Promise<void> => {
      for (const subcommand of command.commands) await visit(subcommand, [...path, subcommand.name()])
      for (const option of command.options) {
        const parse = findFlag(option)?.parse
        if (parse === undefined || option.long === undefined) continue
        const { stdout } = await runInProcess(['complete', '--', ...path, option.long, ''], { cwd, env: {} })
        for (const value of stdout.split('\n').filter((line) => line !== '')) {
          offered++
          expect(
            () => parse(value, option.long ?? ''),
            `${path.join(' ')} ${option.long} ${value}`,
          ).not.toThrow()
        }
      }
    }
    await visit(program, [])
    expect(offered).toBeGreaterThan(100)
  })

  it('offers the formats of report, which are not those of summarize', async () => {
    expect(await completed('report', '--format', '')).toEqual(['text', 'json', 'md', 'html'])
    expect(await completed('summarize', '--format', '')).toEqual(['text', 'jsonl'])
  })

  it('prints no names with control characters, and accepts an invalid configuration', async () => {
    expect(await completed('prompts', 'show', '')).not.toContainEqual(expect.stringContaining('touch'))
    const cwd = await createFolder({ 'claude-batch.yaml': 'profiles: [' })
    expect(await runInProcess(['complete', '--', 'summarize', '--profile', ''], { cwd, env: {} })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    })
  })

  it('is hidden in the help, and `completion` rejects an unknown shell', async () => {
    const run = (shell: string) => runInProcess(['completion', shell], { cwd: '/', env: {} })
    expect(await run('tcsh')).toMatchObject({ code: 2, stderr: expect.stringContaining('bash, zsh or fish') })
    expect((await runInProcess(['--help'], { cwd: '/' })).stdout).not.toMatch(/^ +complete /m)
  })
})
