import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createProcessRuntime } from '../../src/runtime.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { createLockOwner } from '../../src/storage/lock/lock-owner.ts'
import { answerAfter, createGate } from '../support/manual-response.ts'
import { bin, createFolder, runCli, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const docs = (count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`docs/${n}.md`, `# Note ${n}\n\nThe board met on ${n} May.\n`]),
  )
const summariesIn = async (cwd: string) =>
  (await readdir(join(cwd, 'summaries/docs'))).filter((name) => name.endsWith('.summary.md')).length
/** Returns variables that make Node run this code before the program, with `fs` in scope. */
const preload = (code: string) => {
  const module = `import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    ${code}
    syncBuiltinESMExports()`
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(module)}` }
}
/** The journal then waits permanently. */
const neverSync = 'fs.fdatasync = () => {}'
const { isRunning } = createProcessRuntime()
const program = `'${process.execPath}' '${bin}'`

/** Calls back once `count` requests are in flight. */
function whenInFlight(simulator: Simulator, count: number, then: () => void): void {
  const watch = setInterval(() => {
    if (simulator.stats().inFlight < count) return
    clearInterval(watch)
    then()
  }, 5)
}

/** Calls `open` once the program reports that it waits for requests in flight. */
function whenStopping(child: ChildProcess, open: () => void): void {
  let shown = ''
  child.stderr?.on('data', (chunk) => {
    shown += String(chunk)
    if (shown.includes('stopping: ')) open()
  })
}

/** Runs a shell command line. */
function shell(command: string, cwd: string, env: Record<string, string>) {
  return ended(spawn('bash', ['--norc', '-c', command], { cwd, env: { PATH: process.env['PATH'], ...env } }))
}

async function ended(child: ChildProcess) {
  const text = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (chunk) => {
      text[name] += String(chunk)
    })
  const code = await new Promise<number | null>((resolve) => {
    child.on('close', resolve)
  })
  return { code, ...text }
}

describe('signals', () => {
  it.each([
    ['P01', 'SIGINT'],
    ['P04', 'SIGTERM'],
    ['P05', 'SIGHUP'],
  ] as const)(
    '%s %s ends the run by that signal after the requests in flight; the next run does the rest',
    async (_row, name) => {
      const cwd = await createFolder(docs(12))
      const stopping = createGate()
      const { env, simulator } = await startService({ script: () => answerAfter(stopping.opened) })
      const { code, signal, stderr } = await runCli(['summarize', 'docs', '--concurrency', '4'], {
        cwd,
        env,
        onStart(child) {
          whenStopping(child, stopping.open)
          whenInFlight(simulator, 4, () => child.kill(name))
        },
      })
      expect([code, signal]).toEqual([null, name])
      expect(stderr).toContain('stopping: waiting for 4 requests in flight (interrupt again to abort them)')
      expect(stderr).toMatch(/4 summarized, 8 pending/)
      expect(stderr).toContain(`stopped by ${name}; to continue, run the same command again`)
      expect(simulator.stats()).toMatchObject({ requests: 4, aborted: 0 })
      expect(await summariesIn(cwd)).toBe(4)
      expect(await readdir(join(cwd, 'summaries/docs'))).toHaveLength(4)
      expect((await runInProcess(['summarize', 'docs'], { cwd, env })).code).toBe(0)
      expect(simulator.stats().requests).toBe(12)
    },
  )

  it('P02 a later second signal aborts the requests in flight, and the ledger records that they may be billed', async () => {
    const cwd = await createFolder(docs(5))
    const { env, simulator } = await startService({ script: () => ({ kind: 'stall', afterHeaders: false }) })
    const { signal, stderr } = await runCli(['summarize', 'docs', '--concurrency', '2'], {
      cwd,
      env,
      onStart: (child) =>
        whenInFlight(simulator, 2, () => {
          child.kill('SIGTERM')
          // Repeated, because signals within half a second count as one.
          const again = setInterval(() => child.kill('SIGTERM'), 100)
          child.on('close', () => clearInterval(again))
        }),
    })
    expect(signal).toBe('SIGTERM')
    expect(stderr).toMatch(/5 pending/)
    expect(simulator.stats().aborted).toBe(2)
    const ledger = await readFile(join(cwd, 'summaries/.claude-batch/ledger.jsonl'), 'utf8')
    expect(ledger.match(/"status":"pending".*"lost_replies":1/g)).toHaveLength(2)
  })

  it('P03 two signals at the same time count as one', async () => {
    const cwd = await createFolder(docs(6))
    const stopping = createGate()
    const { env, simulator } = await startService({ script: () => answerAfter(stopping.opened) })
    const { signal, stderr } = await runCli(['summarize', 'docs', '--concurrency', '2'], {
      cwd,
      env,
      onStart(child) {
        whenStopping(child, stopping.open)
        whenInFlight(simulator, 2, () => {
          child.kill('SIGINT')
          child.kill('SIGINT')
        })
      },
    })
    expect(signal).toBe('SIGINT')
    expect(stderr).toMatch(/2 summarized, 4 pending/)
    expect(simulator.stats().aborted).toBe(0)
  })

  it('P05 a closed terminal ends the run like SIGTERM, although nothing can be written to it', async (context) => {
    if (spawnSync('python3', ['--version']).status !== 0) return context.skip('there is no python3')
    const cwd = await createFolder(docs(8))
    const { env, simulator } = await startService({ latency: { medianMs: 1500, sigma: 0 } })
    // Starts the program on a new terminal, closes it after a line on stdin, and prints the wait status.
    const script = `
import os, pty, sys
pid, fd = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
sys.stdin.readline()
os.close(fd)
print(os.waitpid(pid, 0)[1])`
    const args = ['-c', script, process.execPath, bin, 'summarize', 'docs', '--concurrency', '2']
    const child = spawn('python3', args, { cwd, env: { PATH: process.env['PATH'], TERM: 'xterm', ...env } })
    whenInFlight(simulator, 2, () => child.stdin.end('now\n'))
    const { stdout } = await ended(child)
    expect(stdout.trim()).toBe('1')
    expect(await summariesIn(cwd)).toBe(2)
  })

  it.for([
    ['under nohup', `nohup ${program} summarize docs --concurrency 2`],
    ['in a script under nohup', 'nohup sh ./nightly.sh'],
  ])('P05 a run %s continues after the terminal is closed', async ([, command], context) => {
    if (spawnSync('bash', ['--version']).status !== 0) return context.skip('there is no bash')
    const cwd = await createFolder({
      ...docs(4),
      'nightly.sh': `${program} summarize docs --concurrency 2\necho the end\n`,
    })
    const replying = createGate()
    const { env, simulator } = await startService({ script: () => answerAfter(replying.opened) })
    const child = spawn('bash', ['-c', `${command} >out 2>&1; echo the end`], {
      cwd,
      detached: true,
      env: { PATH: process.env['PATH'], ...env },
    })
    whenInFlight(simulator, 2, () => {
      // A terminal that closes sends SIGHUP to the whole process group.
      process.kill(-(child.pid ?? 0), 'SIGHUP')
      replying.open()
    })
    await expect.poll(() => summariesIn(cwd), { timeout: 20_000 }).toBe(4)
  })

  it('P10 SIGSTOP and SIGCONT lead to retries, not to failures or a burst of requests', async () => {
    const cwd = await createFolder(docs(4))
    const { env, simulator } = await startService({
      script: ({ index }) =>
        index < 2 ? { kind: 'stall', afterHeaders: true } : { kind: 'answer', delayMs: 5 },
    })
    const { code } = await runCli(['summarize', 'docs', '--concurrency', '2', '--idle-timeout', '400ms'], {
      cwd,
      env,
      onStart: (child) =>
        whenInFlight(simulator, 2, () => {
          child.kill('SIGSTOP')
          setTimeout(() => child.kill('SIGCONT'), 900)
        }),
    })
    expect(code).toBe(0)
    expect(simulator.stats()).toMatchObject({ requests: 6, maxInFlight: 2 })
  })

  it('P21 the death of npx, which forwards no signal, counts as SIGTERM', async () => {
    const cwd = await createFolder(docs(40))
    const stopping = createGate()
    const { env, simulator } = await startService({ script: () => answerAfter(stopping.opened) })
    const command = `${program} summarize docs --concurrency 2 2>stderr & echo $!; wait`
    const child = spawn('sh', ['-c', command], {
      cwd,
      env: { PATH: process.env['PATH'], npm_lifecycle_event: 'npx', ...env },
    })
    let pid = 0
    child.stdout.once('data', (text) => {
      pid = Number(text)
    })
    whenInFlight(simulator, 2, () => child.kill('SIGKILL'))
    await expect.poll(() => pid > 0 && isRunning(pid)).toBe(true)
    await expect.poll(() => readFile(join(cwd, 'stderr'), 'utf8')).toContain('stopping: ')
    stopping.open()
    await expect.poll(() => isRunning(pid)).toBe(false)
    expect(await readFile(join(cwd, 'stderr'), 'utf8')).toContain('stopped by SIGTERM')
    expect(simulator.stats().requests).toBeLessThan(40)
  })

  it('P25 SIGINT while waiting for the lock ends the run immediately, with nothing sent', async () => {
    const holder = await createLockOwner(process.pid, '2026-11-22T03:00:00.000Z', 'n')
    const lock = { 'summaries/.claude-batch/lock': JSON.stringify(holder) }
    const cwd = await createFolder({ ...docs(1), ...lock })
    const { env, simulator } = await startService({})
    const { signal, stderr } = await runCli(['summarize', 'docs', '--lock-timeout', '1m'], {
      cwd,
      env,
      onStart: (child) => child.stderr?.once('data', () => child.kill('SIGINT')),
    })
    expect(signal).toBe('SIGINT')
    expect(stderr).toMatch(/^claude-batch: waiting: another run holds this output folder: process \d+ on /)
    expect(simulator.stats().requests).toBe(0)
  })
})

describe('streams', () => {
  it('P11 a reader that closes stdout ends the run quietly, with 141', async () => {
    const cwd = await createFolder(docs(20))
    const { env } = await startService({})
    const command = `${program} summarize docs -o - --format jsonl | head -n 1; echo \${PIPESTATUS[0]}`
    const { stdout, stderr } = await shell(command, cwd, env)
    expect(stdout).toMatch(/^\{.*\}\n141\n$/)
    expect(stderr).toBe('')
  })

  it('P12 a reader that closes stderr changes nothing', async () => {
    const cwd = await createFolder(docs(6))
    const { env } = await startService({ faults: { '500': 0.5 }, seed: 3 })
    const { stdout } = await shell(`${program} summarize docs -v --retries 9 2> >(true); echo $?`, cwd, env)
    expect(stdout).toBe('0\n')
    expect(await summariesIn(cwd)).toBe(6)
  })

  it.each([
    ['P13 a full disk behind', '> /dev/full', 'no space left'],
    ['P14 a closed', '>&-', 'stdout is closed'],
  ])('%s stdout ends the run with 6 if the summaries go to stdout', async (_name, redirection, message) => {
    const cwd = await createFolder(docs(2))
    const { env } = await startService({})
    const product = await shell(`${program} summarize docs -o - ${redirection}`, cwd, env)
    expect(product.code).toBe(6)
    expect(product.stderr).toContain(message)
    const { code } = await shell(`${program} summarize docs ${redirection} <&-`, cwd, env)
    expect([code, await summariesIn(cwd)]).toEqual([0, 2])
  })

  it.each(['-', '/dev/stdout'])(
    'P14 a closed stdout for --report %s ends the run before it costs',
    async (name) => {
      const cwd = await createFolder(docs(2))
      const { env, simulator } = await startService({})
      const { code, stderr } = await shell(`${program} summarize docs --report ${name} >&-`, cwd, env)
      expect([code, stderr]).toEqual([
        6,
        `claude-batch: --report ${name}: stdout is closed; name a file, or /dev/stderr\n`,
      ])
      expect(simulator.stats().requests).toBe(0)
    },
  )

  it('P14 stdout to /dev/null is no error', async () => {
    const cwd = await createFolder(docs(1))
    const { env } = await startService({})
    expect((await shell(`${program} summarize docs -o - > /dev/null`, cwd, env)).code).toBe(0)
  })

  it('P15 five megabytes arrive complete through a slow pipe', async () => {
    const cwd = await createFolder(docs(25))
    const text = 'A very long summary. '.repeat(10_000)
    const { env } = await startService({
      limits: { rpm: 1e6, itpm: 1e9, otpm: 1e9 },
      script: () => ({ kind: 'answer', delayMs: 5, text }),
    })
    const command = `${program} summarize docs --max-tokens 120000 -q -o - --format jsonl | (sleep 0.5; wc -lc)`
    const { stdout } = await shell(command, cwd, env)
    const [lines, bytes] = stdout.trim().split(/\s+/).map(Number)
    expect(lines).toBe(25)
    expect(bytes).toBeGreaterThan(25 * text.length)
  })
})

describe('bugs and system faults', () => {
  it('P16 a promise that never settles ends the run with 70, not with success', async () => {
    const cwd = await createFolder(docs(2))
    const { env } = await startService({})
    const { code, stderr } = await runCli(['summarize', 'docs'], {
      cwd,
      env: { ...env, ...preload(neverSync) },
    })
    expect(code).toBe(70)
    expect(stderr).toContain('this is a bug, please report it: it ended with work still to do')
  })

  it('P17 an uncaught exception ends the run with 70 and its stack, and finished documents are kept', async () => {
    const cwd = await createFolder(docs(30))
    const { env, simulator } = await startService({ latency: { medianMs: 50, sigma: 0 } })
    const fail = `const { renameSync } = fs; let n = 0
      fs.renameSync = (...args) => {
        if (++n === 10) Promise.reject(new Error('nobody'))
        return renameSync(...args)
      }`
    const { code, stderr } = await runCli(['summarize', 'docs', '--concurrency', '4'], {
      cwd,
      env: { ...env, ...preload(fail) },
    })
    expect(code).toBe(70)
    expect(stderr).toMatch(/this is a bug, please report it: Error: nobody\n +at /)
    const again = await runInProcess(['summarize', 'docs'], { cwd, env })
    expect(again.code).toBe(0)
    expect(again.stderr).toContain('took over')
    expect(await summariesIn(cwd)).toBe(30)
    expect(simulator.stats().requests).toBeLessThanOrEqual(30 + 4)
  })

  it.each([
    ['an uncaught exception', "fs.fdatasync = () => void Promise.reject(new Error('no'))"],
    ['a promise that never settles', neverSync],
  ])('P17 %s is an event with --progress json, and so are warnings of Node.js', async (_, fault) => {
    const cwd = await createFolder(docs(2))
    const { env } = await startService({})
    const warn = `const { openSync } = fs
      fs.openSync = (...args) => {
        process.emitWarning('old\\u001b')
        return openSync(...args)
      }`
    const { code, stderr } = await runCli(['summarize', 'docs', '--progress', 'json'], {
      cwd,
      env: { ...env, ...preload(`${fault}\n${warn}`) },
    })
    expect(code).toBe(70)
    const events = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events).toContainEqual(expect.objectContaining({ event: 'message', text: 'Warning: old\u001b' }))
    expect(events.at(-2)).toMatchObject({ text: expect.stringContaining('this is a bug') })
    expect(events.at(-1)).toMatchObject({ event: 'end', exit_code: 70 })
  })

  it('P18 an exhausted heap costs no more than the requests in flight', async () => {
    const cwd = await createFolder(docs(12))
    const { env, simulator } = await startService({ latency: { medianMs: 20, sigma: 0 } })
    const hog = `const { renameSync } = fs; let n = 0; const all = []
      fs.renameSync = (...args) => {
        if (++n === 5) for (;;) all.push(new Array(1e5).fill({}))
        return renameSync(...args)
      }`
    const { code, signal } = await runCli(['summarize', 'docs', '--concurrency', '2'], {
      cwd,
      env: { ...env, NODE_OPTIONS: `--max-old-space-size=40 ${preload(hog).NODE_OPTIONS}` },
    })
    expect(signal ?? code).toBe('SIGABRT')
    expect((await runInProcess(['summarize', 'docs'], { cwd, env })).code).toBe(0)
    expect(simulator.stats().requests).toBeLessThanOrEqual(12 + 2)
  })

  it.each([
    ['forward', 86_400_000],
    ['back', -86_400_000],
  ])('P20 a clock that jumps a day %s loses no document and repeats no request', async (_name, by) => {
    const cwd = await createFolder(docs(12))
    const { env, simulator } = await startService({})
    const jump = `const { now } = Date; let n = 0; Date.now = () => now() + (++n > 8 ? ${by} : 0)`
    const { code } = await runCli(['summarize', 'docs', '--rpm', '600', '--concurrency', '2'], {
      cwd,
      env: { ...env, ...preload(jump) },
    })
    expect(code).toBe(0)
    expect((await runInProcess(['summarize', 'docs'], { cwd, env })).code).toBe(0)
    expect(simulator.stats().requests).toBe(12)
  })
})

describe('kills', () => {
  it('P07 a run that is killed at any time is completed by the next one, which repeats only requests in flight', async () => {
    const cwd = await createFolder(docs(60))
    const { env, simulator } = await startService({ latency: { medianMs: 15, sigma: 0.5 } })
    const signals: (string | null)[] = []
    for (const count of [3, 17, 40]) {
      const { signal } = await runCli(['summarize', 'docs', '--concurrency', '4'], {
        cwd,
        env,
        onStart(child) {
          const watch = setInterval(() => {
            if (simulator.stats().requests < count) return
            clearInterval(watch)
            child.kill('SIGKILL')
          }, 1)
        },
      })
      signals.push(signal)
    }
    expect(signals).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL'])
    expect((await runInProcess(['summarize', 'docs'], { cwd, env })).code).toBe(0)
    expect(await summariesIn(cwd)).toBe(60)
    expect(simulator.stats().requests).toBeLessThanOrEqual(60 + 3 * 4)
  })

  it('P08 a kill between an answer and the journal costs that one answer', async () => {
    const cwd = await createFolder(docs(1))
    const { env, simulator } = await startService({})
    const kill = `const { writeSync } = fs
      fs.writeSync = (descriptor, bytes, ...args) => {
        if (Buffer.from(bytes).includes('[simulated]')) process.kill(process.pid, 'SIGKILL')
        return writeSync(descriptor, bytes, ...args)
      }`
    const { signal } = await runCli(['summarize', 'docs'], { cwd, env: { ...env, ...preload(kill) } })
    expect(signal).toBe('SIGKILL')
    // The append may have finished before the signal arrived.
    await writeFile(join(cwd, 'summaries/.claude-batch/journal.jsonl'), '')
    expect((await runInProcess(['summarize', 'docs'], { cwd, env })).code).toBe(0)
    expect(simulator.stats().requests).toBe(2)
  })
})
