import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createKeyCommand } from '../../src/claude/key-command.ts'
import { splitCommandLine } from '../../src/core/text/split-command-line.ts'
import { filesBelow } from '../faults/invariants.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { startGateway } from '../support/start-gateway.ts'

/** Prints key 1 the first time, key 2 the second time, and so on; at most `last`. */
const countingProgram = (last: number) => `
import { appendFileSync, readFileSync } from 'node:fs'
appendFileSync('runs.txt', '.')
console.error('stderr-secret')
console.log('secret-key-number-' + Math.min(${last}, readFileSync('runs.txt', 'utf8').length))
`

const keyCommand = `"${process.execPath}" key.mjs --token 'argument secret'`

/**
 * Starts a server that lets only some keys through to a simulator.
 * @param accepts whether a key is valid, given the number of requests before and the path of this one
 */
async function startGate(accepts: (key: string, requests: number, path: string) => boolean) {
  const keys: string[] = []
  const { env, simulator } = await startGateway(({ headers, url = '' }) => {
    const key = headers.authorization?.replace('Bearer ', '') ?? ''
    keys.push(key)
    if (accepts(key, keys.length - 1, url)) return undefined
    const error = { type: 'authentication_error', message: `invalid key ${key}` }
    return { status: 401, body: JSON.stringify({ type: 'error', error }) }
  })
  return { env, keys, simulator }
}

async function createFolderWithProgram(program: string) {
  const documents = Object.fromEntries(
    ['a', 'b', 'c', 'd'].map((name) => [`docs/${name}.md`, `Note ${name}.`]),
  )
  const cwd = await createFolder({ ...documents, 'key.mjs': program })
  const runs = async () => (await readFile(join(cwd, 'runs.txt'), 'utf8').catch(() => '')).length
  return { cwd, runs }
}

const summarize = ['summarize', 'docs', '--concurrency', '2', '--key-command', keyCommand]

describe('--key-command', () => {
  it('sends the key that the program prints, and runs it once', async () => {
    const { cwd, runs } = await createFolderWithProgram(countingProgram(9))
    const { env, keys } = await startGate(() => true)
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect([new Set(keys), await runs()]).toEqual([new Set(['secret-key-number-1']), 1])
  })

  it('overrides the keys in the environment, and does not run with --simulate', async () => {
    const { cwd, runs } = await createFolderWithProgram(countingProgram(9))
    const { env, keys } = await startGate(() => true)
    const more = { ANTHROPIC_API_KEY: 'sk-ant-other-key', ANTHROPIC_AUTH_TOKEN: 'another-token' }
    expect(await runInProcess([...summarize, '--simulate', '-o', 'x'], { cwd, env })).toMatchObject({
      code: 0,
    })
    expect(await runs()).toBe(0)
    expect(await runInProcess(summarize, { cwd, env: { ...env, ...more } })).toMatchObject({ code: 0 })
    expect(new Set(keys)).toEqual(new Set(['secret-key-number-1']))
  })

  it('runs the program again after a 401, once for all requests in flight', async () => {
    const { cwd, runs } = await createFolderWithProgram(countingProgram(2))
    const { env, keys } = await startGate((key, requests) => requests === 0 || key.endsWith('2'))
    const { code, stderr } = await runInProcess(summarize, { cwd, env })
    expect([code, stderr]).toEqual([0, expect.stringContaining('4 summarized')])
    expect(await runs()).toBe(2)
    expect(keys.filter((key) => key.endsWith('1')).length).toBeLessThanOrEqual(3)
  })

  it.each(['/v1/messages/batches', '/v1/messages/batches/'])(
    'continues a batch with a new key when the old one expires before a request to %s…',
    async (path) => {
      const { cwd, runs } = await createFolderWithProgram(countingProgram(2))
      const { env, keys } = await startGate(
        (key, _requests, url) => key.endsWith('2') || !url.startsWith(path),
      )
      const { code, stderr } = await runInProcess([...summarize, '--batch'], { cwd, env })
      expect([code, stderr]).toEqual([0, expect.stringContaining('4 summarized')])
      expect([await runs(), new Set(keys).size]).toEqual([2, 2])
    },
  )

  it('ends the run with 4 if a fresh key is refused as well', async () => {
    const { cwd, runs } = await createFolderWithProgram(countingProgram(9))
    const { env } = await startGate(() => false)
    const { code, stderr } = await runInProcess(summarize, { cwd, env })
    expect(code).toBe(4)
    expect(stderr).toContain('401 authentication_error: invalid key [key]; check what the key command prints')
    expect(await runs()).toBeLessThanOrEqual(6)
  })

  it('shows the key, stderr and the arguments of the program nowhere', async () => {
    const { cwd } = await createFolderWithProgram(countingProgram(9))
    const { env } = await startGate((_key, requests) => requests < 2)
    const { stdout, stderr } = await runInProcess([...summarize, '--verbose', '--log', 'log.jsonl'], {
      cwd,
      env,
    })
    const files = await filesBelow(cwd)
    const texts = await Promise.all(
      files.filter((file) => file !== 'key.mjs').map((file) => readFile(join(cwd, file), 'utf8')),
    )
    expect(files.length).toBeGreaterThan(6)
    expect([stdout, stderr, ...texts].join('\n')).not.toMatch(
      /secret-key-number|stderr-secret|argument secret/,
    )
  })

  it.each([
    ['exits with an error', 'process.exit(3)', 'failed with exit code 3'],
    ['prints nothing', '', 'printed no key'],
    ['prints a sentence', 'console.log("Please log in: secret")', 'printed more than a key'],
    ['prints too much', 'console.log("secret".repeat(100_000))', 'printed more than a key'],
    ['is killed', 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1e6)', 'was ended by SIGTERM'],
  ])('is exit 2 before any request if the program %s', async (_what, program, reason) => {
    const { cwd } = await createFolderWithProgram(program)
    const { env, keys } = await startGate(() => true)
    const { code, stderr } = await runInProcess(summarize, { cwd, env })
    expect([code, stderr]).toEqual([
      2,
      `claude-batch: the key command "node" ${reason}; run it yourself to see why, or change --key-command\n`,
    ])
    expect(keys).toEqual([])
  })

  it('is exit 2 if there is no such program or a quote is open', async () => {
    const { cwd } = await createFolderWithProgram('')
    const { env } = await startGate(() => true)
    const run = (command: string) =>
      runInProcess(['summarize', 'docs', '--key-command', command], { cwd, env })
    expect(await run('no-such-program "a b"')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the key command "no-such-program" was not found'),
    })
    // Node.js throws this error instead of passing it on.
    expect(await run(`key.mjs/tool --token 'argument secret'`)).toMatchObject({
      code: 2,
      stderr:
        'claude-batch: the key command "tool" cannot be run (ENOTDIR); run it yourself to see why, or change --key-command\n',
    })
    expect(await run('op "read')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        '--key-command: expected a program and its arguments, with every quote closed',
      ),
    })
  })

  it('ends the run with 4 if the program fails later, and keeps what is finished', async () => {
    const program = `${countingProgram(9)}; if (readFileSync('runs.txt', 'utf8').length > 1) process.exit(1)`
    const { cwd } = await createFolderWithProgram(program)
    const { env } = await startGate((_key, requests) => requests < 2)
    const { code, stderr } = await runInProcess([...summarize, '--concurrency', '1'], { cwd, env })
    expect([code, stderr]).toEqual([
      4,
      expect.stringContaining('the key command "node" failed with exit code 1'),
    ])
    expect(await readdir(join(cwd, 'summaries/docs'))).toHaveLength(2)
  })

  it('counts in the configuration of the user, but not in one that was merely found', async () => {
    const { cwd } = await createFolderWithProgram(countingProgram(9))
    const { env, keys } = await startGate(() => true)
    const config = `key-command: ${JSON.stringify(keyCommand)}\n`
    await writeFile(join(cwd, 'claude-batch.yaml'), config)
    const found = await runInProcess(['summarize', 'docs'], { cwd, env })
    expect([found.code, found.stderr]).toEqual([2, expect.stringContaining('key-command')])
    expect(keys).toEqual([])
    await writeFile(join(cwd, 'claude-batch.yaml'), '')
    await mkdir(join(cwd, 'home/claude-batch'), { recursive: true })
    await writeFile(join(cwd, 'home/claude-batch/config.yaml'), config)
    const own = await runInProcess(['summarize', 'docs'], {
      cwd,
      env: { ...env, XDG_CONFIG_HOME: join(cwd, 'home') },
    })
    expect(own).toMatchObject({ code: 0 })
    expect(new Set(keys)).toEqual(new Set(['secret-key-number-1']))
  })
})

describe('createKeyCommand', () => {
  it('runs the program again when the key is as old as its TTL, once for all who ask', async () => {
    const { cwd, runs } = await createFolderWithProgram(countingProgram(9))
    const seen: string[] = []
    let now = 0
    const { getKey, replaceKey } = createKeyCommand({
      command: [process.execPath, 'key.mjs'],
      ttlMs: 1000,
      cwd,
      env: {},
      clock: { now: () => now },
      settingName: '--key-command',
      onKey: (key) => seen.push(key),
    })
    const first = 'secret-key-number-1'
    expect(await Promise.all([getKey(), getKey(), getKey()])).toEqual([first, first, first])
    now = 999
    expect([await getKey(), await runs()]).toEqual([first, 1])
    now = 1000
    expect([await getKey(), await runs()]).toEqual(['secret-key-number-2', 2])
    // A request that was sent with the first key does not need a third one.
    expect([await replaceKey(first), await runs()]).toEqual(['secret-key-number-2', 2])
    expect([await replaceKey('secret-key-number-2'), await runs()]).toEqual(['secret-key-number-3', 3])
    expect(seen).toEqual([first, 'secret-key-number-2', 'secret-key-number-3'])
  })
})

describe('splitCommandLine', () => {
  it.each([
    ['gcloud auth print-access-token', ['gcloud', 'auth', 'print-access-token']],
    ['  a   b\t c ', ['a', 'b', 'c']],
    ['"C:\\Program Files\\op.exe" read', ['C:\\Program Files\\op.exe', 'read']],
    [`sh -c 'echo "$KEY" | cut -c2-'`, ['sh', '-c', 'echo "$KEY" | cut -c2-']],
    [`op --x="a b"c`, ['op', '--x=a bc']],
    [`op ''`, ['op', '']],
    ['', undefined],
    ['  ', undefined],
    [`''`, undefined],
    [`op "a`, undefined],
    [`op 'a" b`, undefined],
  ])('splits %s', (line, words) => {
    expect(splitCommandLine(line)).toEqual(words)
  })
})
