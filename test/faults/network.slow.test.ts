import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createServer } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { respondWith } from '../support/manual-response.ts'
import { createFolder, runCli, startService } from '../support/run-cli.ts'
import { createRequest } from '../support/scripted-ask.ts'
import { createSimulatedClient } from '../support/simulated-client.ts'
import { answer, type Seen, withFaults } from './with-faults.ts'

const json = { 'content-type': 'application/json' }

/** Returns variables that make Node run this code before the program, with `dns` and `net` in scope. */
const preload = (code: string) => {
  const module = `import dns from 'node:dns'; import net from 'node:net'; ${code}`
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(module)}` }
}
const pem = (name: string) => fileURLToPath(new URL(`tls/${name}.pem`, import.meta.url))

/** Starts a TLS server in front of the port of a plain one. */
async function tlsService(certificate: string, port: number, onHandshake = () => {}) {
  const [key, cert] = await Promise.all(['key', certificate].map((name) => readFile(pem(name))))
  const server = createServer({ key, cert }, (socket) => {
    onHandshake()
    socket.on('error', () => {})
    socket.pipe(connect(port, '127.0.0.1')).pipe(socket)
  })
  server.listen(0)
  await once(server, 'listening')
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  return { url, close: () => server.close() }
}

describe('a connection', () => {
  const text = '[simulated] Ünïcödé: 日本語, 🙂.'
  const whole = { type: 'message', content: [{ type: 'text', text }], stop_reason: 'end_turn' }
  const inPieces = (size: number, ms: number) =>
    respondWith(async (response, message) => {
      const body = Buffer.from(JSON.stringify({ ...message, ...whole }))
      response.writeHead(200, json)
      response.socket?.setNoDelay()
      for (let at = 0; at < body.length; at += size) {
        response.write(body.subarray(at, at + size))
        await delay(ms)
      }
      response.end()
    })
  const rows = {
    N10: [{ kind: 'reset', inBody: false, delayMs: 1 }, answer],
    N11: [{ kind: 'reset', inBody: true, delayMs: 1 }, answer],
    N12: [{ kind: 'truncate', delayMs: 1 }, answer],
    N13: [inPieces(1, 1)],
    // Takes about two seconds, with gaps that are shorter than the idle timeout.
    N14: [inPieces(30, 150)],
  } as const
  let seen: Seen | undefined
  beforeAll(async () => {
    seen = (await withFaults({ rows, flags: ['--idle-timeout', '1'], apart: true }))[0]
    expect(seen?.code).toBe(0)
  })

  it.each([
    ['N10', 'is reset before the headers'],
    ['N11', 'is reset in the body'],
    ['N12', 'ends before the announced length'],
  ])('%s a request is retried if its connection %s', (row) => {
    expect(seen?.fates[row]?.sent).toHaveLength(2)
    expect(seen?.fates[row]?.summary).toMatch(/^\[simulated\]/)
  })

  it.each([
    ['N13', 'brings one byte at a time'],
    ['N14', 'is slow but not silent'],
  ])('%s a summary is complete if the connection %s', (row) => {
    expect(seen?.fates[row]).toMatchObject({ summary: `${text}\n` })
    expect(seen?.fates[row]?.sent).toHaveLength(1)
  })

  it('N15 a connection that the server closes after each answer is reopened silently', async () => {
    const closing = respondWith((response, message) => {
      response.writeHead(200, json)
      response.end(JSON.stringify(message), () => response.socket?.end())
    })
    // Node would warn on stderr about something that is opened too often.
    const flags = ['--concurrency', '1', '-q']
    const [closed] = await withFaults({ everything: () => closing, flags, apart: true })
    expect(closed).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('an API that falls silent', () => {
  const rows = {
    N07: [{ kind: 'stall', afterHeaders: false }],
    N08: [{ kind: 'stall', afterHeaders: true }],
  } as const
  let seen: Seen | undefined
  beforeAll(async () => {
    seen = (await withFaults({ rows, flags: ['--idle-timeout', '1', '--retries', '1'] }))[0]
  })

  it.each([
    ['N07', 'before the headers'],
    ['N08', 'after the headers'],
  ])('%s silence %s ends an attempt after --idle-timeout, and the attempt may be billed', (row) => {
    expect(seen?.code).toBe(75)
    expect(seen?.fates[row]?.sent).toHaveLength(2)
    expect(seen?.fates[row]?.record).toMatch(/^ERROR: timeout timeout: .*\nattempt 1: .*\nattempt 2: .*\n$/)
    expect(seen?.stderr).toContain('4 responses were lost in transit and may be billed too')
  })

  it('N09 pings or single bytes do not keep an attempt alive beyond the total timeout', async () => {
    const drip = (piece: string, type: string) =>
      respondWith(async (response) => {
        response.writeHead(200, { 'content-type': type })
        while (!response.destroyed) {
          response.write(piece)
          await delay(20)
        }
      })
    for (const [maxTokens, behaviour] of [
      [8192, drip('event: ping\ndata: {"type": "ping"}\n\n', 'text/event-stream')],
      [1024, drip(' ', 'application/json')],
    ] as const) {
      const { client } = await createSimulatedClient({ script: () => behaviour }, { totalTimeoutMs: 300 })
      await expect(
        client.ask(createRequest('a.md', { maxTokens }), new AbortController().signal),
      ).rejects.toThrow('no complete answer within 0.3 s')
    }
  })
})

describe('an API that cannot be reached', () => {
  const runs = {
    selfSigned: [
      'N04',
      'has a self-signed certificate',
      4,
      /DEPTH_ZERO_SELF_SIGNED_CERT.*NODE_EXTRA_CA_CERTS/,
    ],
    expired: ['N04', 'has an expired certificate', 4, /CERT_HAS_EXPIRED.*check the certificate/],
    elsewhere: [
      'N04',
      'has the certificate of another host',
      4,
      /ERR_TLS_CERT_ALTNAME_INVALID.*check the cert/,
    ],
    plain: ['N05', 'does not speak TLS', 4, /ERR_SSL_\w+.*check the certificate of https:/],
    refused: [
      'N01',
      'refuses the connection',
      75,
      /cannot connect to 127\.0\.0\.1:\d+ \(ECONNREFUSED\); check the network, /,
    ],
    unknown: [
      'N02',
      'has a name without an address',
      75,
      /cannot resolve the host name gateway\.internal \(ENOTFOUND\); check the network, /,
    ],
    silent: [
      'N06',
      'does not accept the connection',
      75,
      /timeout: .*Connect Timeout Error.*; check the network, /,
    ],
    proxy: [
      'N17',
      'is behind a proxy that does not exist',
      75,
      /cannot connect to 127\.0\.0\.1:1 \(ECONNREFUSED\); .* any proxy/,
    ],
  } as const
  type Name = keyof typeof runs
  const closing: (() => void)[] = []
  let handshakes = 0
  const seen: Partial<Record<Name, Seen>> = {}

  beforeAll(async () => {
    const secured = async (certificate: string) => {
      const service = await tlsService(certificate, 0, () => handshakes++)
      closing.push(service.close)
      return service.url
    }
    const [selfSigned, expired, elsewhere] = await Promise.all(
      ['localhost', 'expired', 'elsewhere'].map((certificate) => secured(certificate)),
    )
    const closed = await tlsService('localhost', 0)
    closed.close()
    const gone = closed.url.replace('https://localhost', 'http://127.0.0.1')
    const environments: Record<Name, Record<string, string | undefined>> = {
      refused: { ANTHROPIC_BASE_URL: gone },
      unknown: {
        ANTHROPIC_BASE_URL: 'http://gateway.internal',
        CLAUDE_BATCH_ALLOW_HTTP: 'gateway.internal',
        ...preload(`dns.lookup = (host, options, done) => process.nextTick(done,
          Object.assign(new Error('getaddrinfo ENOTFOUND ' + host), { code: 'ENOTFOUND' }))`),
      },
      selfSigned: { ANTHROPIC_BASE_URL: selfSigned },
      expired: { ANTHROPIC_BASE_URL: expired, NODE_EXTRA_CA_CERTS: pem('expired') },
      elsewhere: { ANTHROPIC_BASE_URL: elsewhere, NODE_EXTRA_CA_CERTS: pem('elsewhere') },
      plain: {},
      silent: preload('net.connect = () => new net.Socket()'),
      proxy: { ANTHROPIC_BASE_URL: 'https://gateway.internal', HTTPS_PROXY: 'http://127.0.0.1:1' },
    }
    const names = Object.keys(runs) as Name[]
    const faults = names.map((name) => ({
      flags: ['--retries', '1', '--idle-timeout', '0.2'],
      environment: (url: string) =>
        (name === 'plain'
          ? { ANTHROPIC_BASE_URL: url.replace('http:', 'https:') }
          : environments[name]) as Record<string, string>,
    }))
    for (const [n, one] of (await withFaults(...faults)).entries()) seen[names[n] as Name] = one
  })
  afterAll(() => closing.forEach((close) => void close()))

  it.each(Object.entries(runs).map(([name, run]) => [...run, name as Name] as const))(
    '%s an API that %s is reported with what to check, and gets no request',
    (_row, _name, code, told, name) => {
      const { stderr, requests, fates, code: ended } = seen[name] as Seen
      expect([ended, requests]).toEqual([code, 0])
      expect(stderr).toMatch(told)
      expect(fates['a']?.record).toBeUndefined()
      if (code === 4) expect(stderr).not.toContain('retr')
      expect(stderr).toMatch(/2 pending/)
      expect(stderr).not.toMatch(/failed|billed|REJECT_UNAUTHORIZED/)
    },
  )

  it('N04 no request reaches an API with a wrong certificate', () => {
    expect(handshakes).toBe(0)
  })
})

describe('a network', () => {
  it('N03 a temporary failure to resolve a host name is retried', async () => {
    const cwd = await createFolder({ 'a.md': 'The harbour.' })
    const { env, simulator } = await startService({})
    const lookup = preload(`let asked = 0
      dns.lookup = (host, options, done) => process.nextTick(() => asked++ === 0
        ? done(Object.assign(new Error('getaddrinfo EAI_AGAIN ' + host), { code: 'EAI_AGAIN' }))
        : options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4))`)
    const url = simulator.url.replace('127.0.0.1', 'gateway.internal')
    const { code, stderr } = await runCli(['summarize', 'a.md', '--allow-http', 'gateway.internal'], {
      cwd,
      env: { ...env, ...lookup, ANTHROPIC_BASE_URL: url },
    })
    expect([code, simulator.stats().requests]).toEqual([0, 1])
    expect(stderr).toMatch(/requests +2, including 1 retry \(connection error: 1\)/)
  })

  it('N17 an API on this machine is reached without the proxy, with a custom certificate', async () => {
    const cwd = await createFolder({ 'a.md': 'The harbour.' })
    const { env, simulator } = await startService({})
    const { url, close } = await tlsService('localhost', Number(new URL(simulator.url).port))
    onTestFinished(() => void close())
    const ended = await runCli(['summarize', 'a.md'], {
      cwd,
      env: {
        ...env,
        ANTHROPIC_BASE_URL: url,
        HTTPS_PROXY: 'http://127.0.0.1:1',
        NODE_EXTRA_CA_CERTS: pem('localhost'),
      },
    })
    expect(ended.code).toBe(0)
    expect(simulator.stats().requests).toBe(1)
  })

  it.each(['https', 'http'])(
    'N17 requests over %s go through the proxy, over few connections',
    async (scheme) => {
      const cwd = await createFolder(
        Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`docs/${n}.md`, `The harbour ${n}.`])),
      )
      const { env, simulator } = await startService({})
      const { port } = new URL(simulator.url)
      const tls = await tlsService('elsewhere', Number(port))
      onTestFinished(() => void tls.close())
      const [tunnels, secrets]: [string[], string[]] = [[], []]
      const proxy = createHttpServer().on('connect', (request, client: Socket, head) => {
        tunnels.push(request.url ?? '')
        secrets.push(String(request.headers['x-api-key'] ?? ''))
        const [, to = ''] = /:(\d+)$/.exec(request.url ?? '') ?? []
        const service = connect(Number(to), '127.0.0.1', () => {
          client.write('HTTP/1.1 200 Connection established\r\n\r\n')
          service.write(head)
          service.pipe(client).pipe(service)
        })
        for (const socket of [client, service]) socket.on('error', () => {})
      })
      proxy.listen(0, '127.0.0.1')
      await once(proxy, 'listening')
      onTestFinished(() => void proxy.close())
      // A name that only the proxy knows, because loopback addresses are never reached through a proxy.
      const base = `${scheme}://elsewhere.example:${scheme === 'https' ? new URL(tls.url).port : port}`
      const { code } = await runCli(['summarize', 'docs', '--concurrency', '3'], {
        cwd,
        env: {
          ...env,
          ANTHROPIC_BASE_URL: base,
          [`${scheme.toUpperCase()}_PROXY`]: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
          NODE_EXTRA_CA_CERTS: pem('elsewhere'),
          CLAUDE_BATCH_ALLOW_HTTP: 'elsewhere.example',
        },
      })
      expect([code, simulator.stats().requests]).toEqual([0, 12])
      expect(new Set(tunnels)).toEqual(new Set([new URL(base).host]))
      expect(tunnels.length).toBeLessThanOrEqual(3)
      // The proxy must not see the key, which is sent inside the tunnel.
      expect(secrets.join('')).toBe('')
    },
  )
})
