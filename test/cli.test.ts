import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chooseExit, type Exit, exitCodes } from '../src/errors.ts'
import { bin, createFolder } from './support/run-cli.ts'
import { runInProcess } from './support/run-in-process.ts'

const root = resolve(import.meta.dirname, '..')

describe('--help', () => {
  it('starts with three examples, and shows every exit code', async () => {
    const { code, stdout, stderr } = await runInProcess(['--help'], { cwd: root })
    expect([code, stderr]).toEqual([0, ''])
    expect(
      stdout
        .split('\n')
        .slice(0, 4)
        .filter((line) => line.includes('claude-batch summarize')),
    ).toHaveLength(3)
    for (const { code, meaning } of Object.values(exitCodes))
      expect(stdout).toMatch(new RegExp(`${code} +${meaning.slice(0, 20)}`))
  })

  it('of a command that does not exist is a usage error that names the command', async () => {
    const { code, stdout, stderr } = await runInProcess(['help', 'nope'], { cwd: await createFolder({}) })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toBe(
      "claude-batch: unknown command 'nope'; to summarize a folder nope, use claude-batch summarize nope. See claude-batch --help\n",
    )
  })

  it('of summarize starts with examples, too', async () => {
    expect((await runInProcess(['summarize', '--help'], { cwd: root })).stdout).toMatch(/^Examples:/)
  })
})

describe('a stdout that cannot be written to', () => {
  const commands = [
    '--help',
    'config',
    'prompts list',
    'prompts show summarize',
    'prompts check',
    'completion bash',
  ]
  it.each(commands)(
    'ends %s silently after a closed pipe, and with a message on a full disk',
    async (command) => {
      const cwd = await createFolder({})
      const run = (stdoutError: 'EPIPE' | 'ENOSPC') => runInProcess(command.split(' '), { cwd, stdoutError })
      const left = await run('EPIPE')
      expect(left.code).toBe(141)
      expect(left.stderr).not.toMatch(/bug|reader/)
      const full = await run('ENOSPC')
      expect(full.code).toBe(6)
      expect(full.stderr).toMatch(/^claude-batch: cannot write to stdout: no space left/m)
    },
  )
})

describe('exit codes', () => {
  it('have a fixed order of precedence', () => {
    const order: Exit[] = [
      ...(['interrupt', 'terminate', 'hangup', 'brokenPipe', 'bug', 'usage', 'ioError', 'locked'] as const),
      ...(['serviceRefused', 'limitReached', 'failed', 'temporaryFailure', 'noInput', 'ok'] as const),
    ]
    const codes = order.map((exit) => exitCodes[exit].code)
    expect(codes.slice(0, 3).sort()).toEqual([129, 130, 143])
    expect(codes.slice(3)).toEqual([141, 70, 2, 6, 7, 4, 5, 1, 75, 3, 0])
    expect(order).toHaveLength(Object.keys(exitCodes).length)
    for (const [n, exit] of order.entries())
      for (const other of order.slice(n))
        expect([chooseExit([exit, other]), chooseExit([other, exit])]).toEqual([exit, exit])
    expect(chooseExit([])).toBe('ok')
  })

  it('are never changed, because users rely on them', () => {
    expect(Object.values(exitCodes).map(({ code }) => code)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 70, 75, 129, 130, 143, 141,
    ])
  })
})

describe('bin', () => {
  it('prints the required version on an old Node, without a stack trace', async () => {
    const cwd = await createFolder({
      'old.cjs': "Object.defineProperty(process.versions, 'node', { value: '18.20.0' })",
    })
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--require', join(cwd, 'old.cjs'), bin, '--help'],
      { encoding: 'utf8' },
    )
    expect(status).toBe(2)
    expect(stderr).toBe('claude-batch needs Node 20.19 or later; this is 18.20.0\n')
  })
})
