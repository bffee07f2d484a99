import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { openClientOf } from '../../src/claude/anthropic-client.ts'
import { AskError } from '../../src/core/errors/ask-error.ts'
import { isUnreachable, mayBeBilled } from '../../src/core/errors/request-error.ts'
import { ClaudeBatchError, createClient, summarizeAll } from '../../src/index.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { findFreePort } from '../support/free-port.ts'
import { answerWith, getRejection } from '../support/library-client.ts'
import { longWait } from '../support/long-wait.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { createRequest } from '../support/scripted-ask.ts'
import { createSimulatedClient } from '../support/simulated-client.ts'

const key = { ANTHROPIC_API_KEY: 'sk-ant-test-0123456789' }

/** Starts a TCP server that passes each connection to `serve`, and returns its port. */
async function listening(serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const recordsIn = async (folder: string) =>
  (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.error.txt'))

const docs = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`docs/${n}.md`, `The harbour of town ${n}.`]))

/** Ways in which an API cannot be reached, with the environment variables that cause them. */
const ways: Readonly<Record<string, () => Promise<Record<string, string>>>> = {
  'refuses connections': async () => ({ ANTHROPIC_BASE_URL: `http://127.0.0.1:${await findFreePort()}` }),
  'resets connections during the handshake': async () => ({
    ANTHROPIC_BASE_URL: `https://127.0.0.1:${await listening((socket) =>
      socket.once('data', () => socket.resetAndDestroy()),
    )}`,
  }),
  'never completes the handshake': async () => ({
    ANTHROPIC_BASE_URL: `https://127.0.0.1:${await listening(() => {})}`,
  }),
  'is behind a proxy that refuses connections': async () => ({
    ANTHROPIC_BASE_URL: 'https://gateway.internal',
    HTTPS_PROXY: `http://127.0.0.1:${await findFreePort()}`,
  }),
  'is behind a proxy that does not answer': async () => ({
    ANTHROPIC_BASE_URL: 'https://gateway.internal',
    HTTPS_PROXY: `http://127.0.0.1:${await listening(() => {})}`,
  }),
  'is behind a proxy that cannot reach it either': async () => ({
    ANTHROPIC_BASE_URL: 'https://gateway.internal',
    HTTPS_PROXY: `http://127.0.0.1:${await listening((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n')),
    )}`,
  }),
}
const quick = ['--idle-timeout', '0.3']

describe.each(Object.keys(ways))('an API that %s', (way) => {
  it.each([
    ['one document', 1, ['--retries', '0']],
    ['documents one after the other', 3, ['--retries', '0', '--concurrency', '1']],
    ['documents at the same time, with a retry', 12, ['--retries', '1']],
  ])('leaves documents pending, and the run exits with 75: %s', async (_, count, flags) => {
    const cwd = await createFolder(docs(count))
    const env = { ...key, ...(await ways[way]?.()) }
    const run = await runInProcess(['summarize', 'docs', ...quick, ...flags], { cwd, env, random: () => 0 })
    expect(run.code).toBe(75)
    expect(await recordsIn(cwd)).toEqual([])
    expect(run.stderr).toContain(`${count} pending`)
    expect(run.stderr).not.toContain('failed')
    expect(run.stderr).toMatch(
      /^claude-batch: cannot reach the API: .*; check the network, ANTHROPIC_BASE_URL and any proxy; run the same command again later$/m,
    )
    expect(run.stderr).not.toMatch(/billed/)
  })
})

describe('an API that becomes unreachable during a run', () => {
  it.each([
    ['one after the other', '1'],
    ['at the same time', '4'],
  ])('fails none of the documents that are sent %s', async (_, slots) => {
    const simulator = await startSimulator({ latency: { medianMs: 1, sigma: 0 } })
    let answered = 0
    // A proxy, so that the API becomes unreachable between two answers and not during one.
    const port = Number(new URL(simulator.url).port)
    const front = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', (head) => {
        const service = connect(port, '127.0.0.1', () => service.write(head))
        service.on('data', (data) => {
          socket.end(data)
          if (++answered === 4) front.close()
        })
        service.on('error', () => {})
      })
    })
    front.listen(0, '127.0.0.1')
    await once(front, 'listening')
    onTestFinished(simulator.close)
    const cwd = await createFolder(docs(12))
    const env = { ...key, ANTHROPIC_BASE_URL: `http://127.0.0.1:${(front.address() as AddressInfo).port}` }
    const flags = ['--retries', '0', '--concurrency', slots, '--max-wait', '1s']
    const run = await runInProcess(['summarize', 'docs', ...flags], { cwd, env })
    expect(run.code).toBe(75)
    expect(run.stderr).not.toContain('failed')
    expect(run.stderr).toMatch(/gave up on the API.*ECONNREFUSED.*; run the same command again later/)
    expect(await recordsIn(cwd)).toEqual([])
  })
})

describe('a library client whose API refuses connections', () => {
  const unreachable = { type: 'connection_error', status: null, transient: true }

  it('rejects a question with the reason', async () => {
    const env = { ...key, ANTHROPIC_BASE_URL: `http://127.0.0.1:${await findFreePort()}` }
    await using client = createClient({ env, retries: 0 })
    const error = await getRejection(client.complete('Are you there?'))
    expect(error).toBeInstanceOf(ClaudeBatchError)
    expect(error).toMatchObject({ ...unreachable, attempts: 1, costUsd: 0, lostReplies: 0 })
    expect((error as Error).message).toMatch(/ECONNREFUSED.*; check the network/)
  })

  it('yields texts as pending and throws the reason', async () => {
    const env = { ...key, ANTHROPIC_BASE_URL: `http://127.0.0.1:${await findFreePort()}` }
    await using client = createClient({ env, retries: 0, concurrency: 1 })
    const seen: string[] = []
    const reading = async () => {
      for await (const { status } of summarizeAll(['one', 'two'], { client })) seen.push(status)
    }
    expect(await getRejection(reading())).toMatchObject(unreachable)
    expect(seen).toEqual(['pending'])
  })

  it('gets an answer as soon as the API is back', async () => {
    const simulator = await startSimulator({ script: () => answerWith('Back.') })
    const port = Number(new URL(simulator.url).port)
    const env = { ...key, ANTHROPIC_BASE_URL: simulator.url }
    await using client = createClient({ env, retries: 0 })
    expect((await client.complete('Are you there?')).text).toBe('Back.')
    await simulator.close()
    const asked = client.complete('And now?')
    const again = await startSimulator({ port, script: () => answerWith('Here I am.') })
    onTestFinished(again.close)
    expect((await asked).text).toBe('Here I am.')
  })
})

describe('compare', () => {
  it('leaves every variant pending when the API refuses connections', async () => {
    const cwd = await createFolder({
      ...docs(2),
      'prompts/brief.yaml':
        'versions:\n  v1: { user_template: "Sum up {text}" }\n  v2: { user_template: "Shorten {text}" }\n',
    })
    const env = { ...key, ANTHROPIC_BASE_URL: `http://127.0.0.1:${await findFreePort()}` }
    const args = ['compare', 'docs', '--prompts', 'brief@v1,brief@v2', '--retries', '0']
    const { code, stderr } = await runInProcess(args, { cwd, env })
    expect(code).toBe(75)
    expect(stderr).toMatch(/^claude-batch: cannot reach the API: .*ECONNREFUSED/m)
    expect(await recordsIn(cwd)).toEqual([])
  })
})

describe('a request', () => {
  it('that waits for a connection ends as soon as its signal aborts', async () => {
    let connections = 0
    const port = await listening(() => connections++)
    const { client } = await createSimulatedClient(
      {},
      {
        openSdkClient: openClientOf({ url: `https://127.0.0.1:${port}`, key: 'test' }),
        connectTimeoutMs: 3_600_000,
        totalTimeoutMs: 3_600_000,
      },
    )
    const leave = new AbortController()
    const reason = new Error('hung up')
    const asked = getRejection(client.ask(createRequest('a.md'), leave.signal))
    await vi.waitUntil(() => connections === 1, longWait)
    leave.abort(reason)
    expect(await asked).toBe(reason)
  })

  it('that was sent may be billed, even if its connection is reset', async () => {
    const port = await listening((socket) => socket.once('data', () => socket.resetAndDestroy()))
    const { client } = await createSimulatedClient(
      {},
      { openSdkClient: openClientOf({ url: `http://127.0.0.1:${port}`, key: 'test' }) },
    )
    const error = await getRejection(client.ask(createRequest('a.md'), new AbortController().signal))
    expect(error).toBeInstanceOf(AskError)
    const { requestError } = error as AskError
    expect([isUnreachable(requestError), mayBeBilled(requestError)]).toEqual([false, true])
  })
})
