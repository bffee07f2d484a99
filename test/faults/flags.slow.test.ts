import { spawn, spawnSync } from 'node:child_process'
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadPrompt } from '../../src/inputs/prompts/load-prompt.ts'
import { runChecked } from '../support/run-checked.ts'
import { bin, createFolder, startService } from '../support/run-cli.ts'
import { runOnTerminal, whyTerminalUnavailable } from '../support/terminal.ts'
import { runUnprivileged, whyPermissionsUntestable } from '../support/unprivileged.ts'

const prose = (topic: string) =>
  `# About ${topic}\n\nThe harbour board met about ${topic} and decided to dredge the channel.\n`
const one = (body: string) => `versions:\n  v1:\n    user_template: "{text}"\n    ${body}\n`

/** The work done in this process while it goes on: milliseconds of computing, whatever else the machine does. */
async function workOf(act: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** What the program would say about this prompt file, without starting it: mistakes in it all end it in one way. */
async function mistakeIn(yaml: string | Buffer, name = './mine.yaml'): Promise<string> {
  const cwd = await createFolder({ 'mine.yaml': yaml, 'folder.yaml/x': '' })
  const mistake = await loadPrompt(name, { cwd, inputRoots: [], vars: [] }).catch((error) => error)
  expect(mistake).toMatchObject({ name: 'UsageError', exit: 'usage' })
  return (mistake as Error).message
}

describe('a prompt file', () => {
  it('C03 that has 5 MB, or as many keys as fit, is told at once', async () => {
    const tooLarge = async () =>
      expect(await mistakeIn(`# ${'x'.repeat(5_000_000)}`)).toContain('larger than 1 MB')
    await tooLarge()
    const workFor = (files: number, keys: number) => {
      const versions = Array.from({ length: keys }, (_, n) => `  v${n + 1}: {}\n`).join('')
      return workOf(async () => {
        for (let n = 0; n < files; n++)
          expect(await mistakeIn(`versions:\n${versions}`)).toContain('v1 has no `user_template`')
      })
    }
    // In proportion to the keys, not to their square, which would be ten times as much.
    expect(await workFor(1, 70_000)).toBeLessThan(3 * (await workFor(20, 3500)))
  })

  it('C17 that may not be read is told', async (context) => {
    const why = whyPermissionsUntestable()
    if (why !== undefined) return context.skip(why)
    const cwd = await createFolder({ 'a.md': prose('ale'), 'mine.yaml': one('') })
    await chmod(join(cwd, 'mine.yaml'), 0)
    const { env, simulator } = await startService({})
    const args = ['summarize', 'a.md', '--prompt', './mine.yaml']
    const { code, stderr } = await runUnprivileged(args, { cwd, env })
    expect([code, stderr]).toEqual([2, expect.stringContaining('mine.yaml: permission denied')])
    expect(simulator.stats().requests).toBe(0)
  })
})

describe('a flag', () => {
  it('C20 no input at all is 2 at once: stdin is not waited for', async () => {
    const cwd = await createFolder({})
    for (const [args, message] of [
      [[], /^What to type next:\n {2}claude-batch summarize/],
      [['summarize'], /^claude-batch: no input; name files, directories or patterns/],
    ] as const) {
      // Its stdin stays open, as a terminal's or a cron job's would.
      const child = spawn(process.execPath, [bin, ...args], { cwd, env: { PATH: process.env['PATH'] } })
      let stderr = ''
      child.stderr.on('data', (chunk) => (stderr += chunk))
      expect(await new Promise((resolve) => child.on('close', resolve))).toBe(2)
      expect(stderr).toMatch(message)
    }
  })

  it('C20 so it is on a terminal', async (context) => {
    const why = whyTerminalUnavailable()
    if (why !== undefined) return context.skip(why)
    const { code, shown } = await runOnTerminal(['summarize'], { cwd: await createFolder({}), env: {} })
    expect([code, shown]).toEqual([2, expect.stringContaining('no input; name files')])
  })
})

it('C25 a Node that is too old gets one sentence and 2', async () => {
  const cwd = await createFolder({
    'old.cjs': "Object.defineProperty(process.versions, 'node', { value: '18.20.0' })",
  })
  const args = ['--require', join(cwd, 'old.cjs'), bin, 'summarize', 'a.md']
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect([status, stderr]).toEqual([2, 'claude-batch needs Node 20.19 or later; this is 18.20.0\n'])
})

it('C26 nothing but a path in the environment is enough, relative XDG folders are not written to; also with a strict umask and in a folder that is gone', async () => {
  const cwd = await createFolder({ 'a.md': prose('ale') })
  const { env } = await startService({})
  const relative = { XDG_CONFIG_HOME: 'conf', XDG_STATE_HOME: 'state', XDG_CACHE_HOME: 'cache' }
  // That nothing is written to those is looked at by orderlyRun.
  const { code, stderr, written } = await runChecked(['summarize', 'a.md'], {
    cwd,
    env: { ...env, ...relative },
    inOwnProcess: true,
  })
  expect([code, Object.keys(written)]).toEqual([0, ['a.md.summary.md']])
  expect(stderr).not.toContain('\u001b')
  await mkdir(join(cwd, 'gone'))
  const command = `umask 077; cd gone; rmdir ../gone; exec "$0" "$1" summarize "$2" -o "$3" -q`
  const args = ['-c', command, process.execPath, bin, join(cwd, 'a.md'), join(cwd, 'elsewhere')]
  const child = spawn('sh', args, { cwd, env: { PATH: process.env['PATH'], ...env } })
  let said = ''
  child.stderr.on('data', (chunk) => (said += chunk))
  expect([await new Promise((resolve) => child.on('close', resolve)), said]).toEqual([0, ''])
})
