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

/** Returns the CPU time that this process spends during the action, in ms. */
async function workOf(act: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** Returns the usage error for this prompt file, without a run: all mistakes in it end a run the same way. */
async function mistakeIn(yaml: string | Buffer, name = './mine.yaml'): Promise<string> {
  const cwd = await createFolder({ 'mine.yaml': yaml, 'folder.yaml/x': '' })
  const mistake = await loadPrompt(name, { cwd, inputRoots: [], vars: [] }).catch((error) => error)
  expect(mistake).toMatchObject({ name: 'UsageError', exit: 'usage' })
  return (mistake as Error).message
}

describe('a prompt file', () => {
  it('C03 a prompt file of 5 MB, or with as many keys as fit, is rejected quickly', async () => {
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
    // Linear in the number of keys. Quadratic work would be more than ten times as much.
    expect(await workFor(1, 70_000)).toBeLessThan(3 * (await workFor(20, 3500)))
  })

  it('C17 a prompt file without read permission is reported', async (context) => {
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

describe('a command line', () => {
  it('C20 a command without input exits with 2 immediately and does not wait for stdin', async () => {
    const cwd = await createFolder({})
    for (const [args, message] of [
      [[], /^What to type next:\n {2}claude-batch summarize/],
      [['summarize'], /^claude-batch: no input; name files, directories or patterns/],
    ] as const) {
      // The child's stdin stays open, as on a terminal or in a cron job.
      const child = spawn(process.execPath, [bin, ...args], { cwd, env: { PATH: process.env['PATH'] } })
      let stderr = ''
      child.stderr.on('data', (chunk) => (stderr += chunk))
      expect(await new Promise((resolve) => child.on('close', resolve))).toBe(2)
      expect(stderr).toMatch(message)
    }
  })

  it('C20 a command without input exits with 2 on a terminal too', async (context) => {
    const why = whyTerminalUnavailable()
    if (why !== undefined) return context.skip(why)
    const { code, shown } = await runOnTerminal(['summarize'], { cwd: await createFolder({}), env: {} })
    expect([code, shown]).toEqual([2, expect.stringContaining('no input; name files')])
  })
})

it.for(['18', '16', '14'])(
  'C25 Node %s is too old, which is reported in one sentence, with exit 2',
  (version, { skip }) => {
    const run = (...args: string[]) =>
      spawnSync('npx', ['--yes', '-p', `node@${version}`, 'node', ...args], {
        encoding: 'utf8',
        timeout: 120_000,
      })
    const installed = run('--version')
    if (installed.status !== 0)
      skip(`npx cannot install Node ${version} from the npm registry: ${installed.stderr}`)
    const is = installed.stdout.trim().slice(1)
    const { status, stdout, stderr } = run(bin, 'summarize', 'a.md')
    expect([status, stdout, stderr]).toEqual([
      2,
      '',
      `claude-batch needs Node 20.19 or later; this is ${is}\n`,
    ])
  },
)

it('C26 a run needs only PATH in its environment, writes to no relative XDG folder, and works in a deleted folder', async () => {
  const cwd = await createFolder({ 'a.md': prose('ale') })
  const { env } = await startService({})
  const relative = { XDG_CONFIG_HOME: 'conf', XDG_STATE_HOME: 'state', XDG_CACHE_HOME: 'cache' }
  // `runChecked` verifies that nothing is written to the XDG folders.
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
