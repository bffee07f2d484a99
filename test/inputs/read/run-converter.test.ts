import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { type ConverterOptions, runConverter } from '../../../src/inputs/read/run-converter.ts'

const cwd = await mkdtemp(join(tmpdir(), 'claude-batch-test-'))
afterAll(() => rm(cwd, { recursive: true, force: true }))
const endProcessGroup = (pid: number) => {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/** Runs a script of Node.js. */
async function run(script: string, options: Partial<ConverterOptions> = {}) {
  const command = [process.execPath, '-e', script] as const
  const result = await runConverter({ command, cwd, env: process.env, endProcessGroup, ...options })
  return 'action' in result ? `${result.type}: ${result.message}` : result.toString()
}

/** A script that starts a process which lives on, writes its id to a file, and then does something else. */
const withChild = (file: string, then: string) => `
  const { spawn } = require('node:child_process')
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })
  require('node:fs').writeFileSync(${JSON.stringify(file)}, String(child.pid))
  ${then}`

async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  return stat !== '' && !/\) Z /.test(stat)
}

const expectEnded = async (file: string) => {
  const pid = Number(await readFile(file, 'utf8'))
  expect(pid).toBeGreaterThan(0)
  await vi.waitFor(async () => expect(await isRunning(pid)).toBe(false))
}

describe('a converter', () => {
  it('gives what it prints on stdout', async () => {
    expect(await run("console.error('noise'); console.log('Ferries')")).toBe('Ferries\n')
  })

  it.each<[string, string, RegExp]>([
    [
      'exits with an error',
      "console.error('first\\nlast \\x1b[31mline\\n'); process.exit(3)",
      /^convert_failed: the converter "node" failed with exit code 3: last \\x1b\[31mline$/,
    ],
    [
      'is ended by a signal',
      "process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)",
      /was ended by SIGTERM$/,
    ],
    ['prints nothing', 'console.log(" \\n")', /printed nothing$/],
    ['prints only spaces that are not ASCII', 'console.log("\\ufeff\\u00a0\\u3000")', /printed nothing$/],
    ['prints a long error', "console.error('x'.repeat(1e6)); process.exit(1)", /: x{300}$/],
  ])('is a failure if it %s', async (_what, script, expected) => {
    expect(await run(script)).toMatch(expected)
  })

  it.each<[string, readonly [string, ...string[]], RegExp]>([
    [
      'does not exist',
      ['no-such-program'],
      /^convert_failed: the converter "no-such-program" was not found; install it/,
    ],
    ['is a folder', [cwd], /may not be run$/],
    ['has a NUL byte', ['no\0name'], /cannot be run/],
  ])('is a failure if it %s', async (_what, command, expected) => {
    expect(await run('', { command })).toMatch(expected)
  })

  it('is ended with all that it started, if it takes too long', async () => {
    const file = join(cwd, 'slow')
    const script = withChild(file, 'setInterval(() => {}, 1000)')
    expect(await run(script, { timeoutMs: 1000 })).toMatch(/took longer than 1 s, and was ended$/)
    await expectEnded(file)
  })

  it('is ended with all that it started, if it prints too much', async () => {
    const file = join(cwd, 'loud')
    const script = withChild(file, "const more = () => process.stdout.write('x'.repeat(65536), more); more()")
    expect(await run(script, { maxOutputBytes: 1e6 })).toMatch(/printed more than 1 MB, and was ended$/)
    await expectEnded(file)
  })

  it.runIf(process.platform === 'linux')(
    'is ended if it and what it started use too much memory',
    async () => {
      const hungry = 'globalThis.kept = Buffer.alloc(90e6, 1); setInterval(() => {}, 1000)'
      const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(hungry)}]); ${hungry}`
      expect(await run(script, { maxMemoryBytes: 0.2e9 })).toMatch(
        /used more than 0\.2 GB of memory, and was ended$/,
      )
    },
  )

  it('leaves nothing behind that it started in the background', async () => {
    const file = join(cwd, 'background')
    expect(await run(withChild(file, "console.log('done'); process.exit(0)"))).toBe('done\n')
    await expectEnded(file)
  })

  it('is ended with the run, which is no failure of the document', async () => {
    const file = join(cwd, 'aborted')
    const controller = new AbortController()
    const running = run(withChild(file, 'setInterval(() => {}, 1000)'), { signal: controller.signal })
    const ended = expect(running).rejects.toThrow('the user stops')
    await vi.waitFor(async () => expect(Number(await readFile(file, 'utf8'))).toBeGreaterThan(0))
    controller.abort(new Error('the user stops'))
    await ended
    await expectEnded(file)
    await expect(run('', { signal: controller.signal })).rejects.toThrow('the user stops')
  })

  it('gets no stdin', async () => {
    expect(await run("process.stdin.on('end', () => console.log('end')).resume()")).toBe('end\n')
  })
})
