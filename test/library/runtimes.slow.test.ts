import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { cp, readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Server } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createApplication, findTool, type InstalledTools } from '../support/installed-tools.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { installRuntimes, runDeno, runtimes } from '../support/runtimes.ts'

const run = promisify(execFile)
const certificates = join(import.meta.dirname, '../faults/tls')

/** Sends a question to each address of the test, and prints how it ended. */
const program = `
import process from 'node:process'
import { ClaudeBatchError, createClient, loadPrompt, summarizeAll } from 'claude-batch'

const { addresses, proxy } = JSON.parse(process.env.TEST)
const describe = (error) =>
  error instanceof ClaudeBatchError
    ? [error.type, error.status, error.requestId, error.attempts, error.cause?.name ?? null]
    : [error.name]
const results = {}
for (const [name, address] of Object.entries(addresses)) {
  const client = createClient({
    env: { ANTHROPIC_API_KEY: 'sk-ant-test', ANTHROPIC_BASE_URL: address, HTTP_PROXY: name === 'proxy' ? proxy : '' },
    allowHttp: ['api.test'],
    retries: 1,
    ...(name === 'silent' && { timeoutMs: 300 }),
    ...(name === 'ownFetch' && { fetch: globalThis.fetch }),
  })
  const signal = name === 'aborted' ? AbortSignal.timeout(300) : undefined
  results[name] = await client
    .complete('Are you there?', { signal })
    .then(({ text, attempts }) => [text, attempts], describe)
  if (name === 'stream') {
    const pieces = []
    for await (const piece of client.stream('Why?')) pieces.push(piece)
    for await (const piece of client.stream('Leave early')) break
    let summarized = 0
    const texts = Array.from({ length: 40 }, (_, n) => 'Text ' + n)
    const prompt = await loadPrompt('summarize@v1')
    for await (const { status } of summarizeAll(texts, { client, prompt })) summarized += status === 'summarized'
    Object.assign(results, { pieces, summarized })
  }
  // The last client is not closed, and must not keep the process alive.
  if (name !== 'last') await client.close()
}
results.noPrompt = await loadPrompt('nothing').catch(describe)
console.log(JSON.stringify(results))
`

const answered = ['An answer.', 1]
const retried = ['An answer.', 2]
/** What the program prints in every runtime. */
const results = {
  plain: answered,
  gzip: answered,
  interim: answered,
  overloaded: retried,
  limited: retried,
  reset: retried,
  cutOff: retried,
  invalid: ['invalid_request_error', 400, 'req_9', 1, 'BadRequestError'],
  unauthorized: ['authentication_error', 401, null, 1, 'AuthenticationError'],
  silent: ['timeout', null, null, 2, 'APIConnectionError'],
  aborted: ['TimeoutError'],
  noServer: ['connection_error', null, null, 2, 'APIConnectionError'],
  tls: answered,
  unknownTls: ['tls_error', null, null, 1, 'APIConnectionError'],
  proxy: answered,
  ownFetch: answered,
  stream: answered,
  pieces: ['The tide', ' is high: é.'],
  summarized: 40,
  last: answered,
  noPrompt: ['configuration', null, null, 0, null],
}

let tools: InstalledTools

beforeAll(async () => {
  tools = await installRuntimes()
})

describe('the packed library', () => {
  it.for(runtimes)('behaves the same in %s', async ([, runtime], { skip }) => {
    if (tools.whyNot !== undefined) skip(tools.whyNot)
    const [command = '', ...flags] = await runtime(tools).catch((error: Error) =>
      skip(error.message.slice(0, 200)),
    )
    const servers = await startServers()
    const cwd = await createApplication(tools, { 'program.mjs': program })
    const { stdout, stderr } = await run(command, [...flags, 'program.mjs'], {
      cwd,
      env: {
        PATH: process.env['PATH'],
        NO_COLOR: '1',
        NODE_EXTRA_CA_CERTS: join(certificates, 'authority.pem'),
        TEST: JSON.stringify({ addresses: servers.addresses, proxy: servers.proxy }),
      },
    })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual(results)
    expect(servers.tunnels).toEqual(['api.test:80'])
    await expect.poll(() => servers.cancelled()).toBe(true)
  })

  it('loads in Deno without any permission', async ({ skip }) => {
    if (tools.whyNot !== undefined) skip(tools.whyNot)
    const cwd = await createApplication(tools, {
      'program.mjs': `import { createClient } from 'claude-batch'\nconsole.log(typeof createClient())`,
    })
    const [command = '', ...flags] = await runDeno()(tools)
    const { stdout } = await run(command, [...flags, 'program.mjs'], { cwd })
    expect(stdout).toBe('object\n')
  })

  it('has types that Deno accepts', async ({ skip }) => {
    if (tools.whyNot !== undefined) skip(tools.whyNot)
    const cwd = await createApplication(tools, {
      'program.ts': `
import { createClient } from 'claude-batch'
const client = createClient({ fetch: (url, init) => fetch(url, init), signal: AbortSignal.timeout(1) })
const { text }: { text: string } = await client.complete('Are you there?')
// @ts-expect-error: not a number
createClient({ rpm: text })
`,
    })
    await run(findTool(tools, 'deno'), ['check', '--node-modules-dir=manual', 'program.ts'], { cwd })
  })

  it.for([
    ['to a module', ['--target=node', '--outfile=out/program.mjs'], [process.execPath, 'program.mjs']],
    [
      'to CommonJS',
      ['--target=node', '--format=cjs', '--outfile=out/program.cjs'],
      [process.execPath, 'program.cjs'],
    ],
    ['to one program', ['--compile', '--outfile=out/program'], ['./program']],
  ] as const)('works when Bun builds it %s', async ([, flags, [command, ...args]], { skip }) => {
    if (tools.whyNot !== undefined) skip(tools.whyNot)
    const { env } = await startService({})
    const source = `
import { createClient, loadPrompt, summarizeAll } from 'claude-batch'
async function main() {
  const client = createClient()
  for await (const { status } of summarizeAll(['The tide is high.'], { client })) console.log(status)
  console.log((await loadPrompt('summarize@v1')).version)
  await client.close()
}
main()
`
    const folder = await createApplication(tools, { 'program.mjs': source })
    await run(findTool(tools, 'bun'), ['build', 'program.mjs', ...flags], { cwd: folder })
    const cwd = await createFolder({})
    await cp(join(folder, 'out'), cwd, { recursive: true })
    const { stdout } = await run(command, args, { cwd, env: { PATH: process.env['PATH'], ...env } })
    expect(stdout).toBe('summarized\nv1\n')
  })
})

const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-haiku-5-5',
  stop_sequence: null,
  usage: { input_tokens: 9, output_tokens: 3 },
}
const answer = { ...message, content: [{ type: 'text', text: 'An answer.' }], stop_reason: 'end_turn' }

type Respond = (response: ServerResponse, body: { readonly stream?: boolean }) => void

const sendJson = (response: ServerResponse, status: number, body: object, headers = {}) =>
  void response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify(body))
const succeed: Respond = (response) => sendJson(response, 200, answer)
const failWith =
  (status: number, type: string, headers = {}): Respond =>
  (response) =>
    sendJson(response, status, { type: 'error', error: { type, message: 'a reason' } }, headers)

/** How a server responds to the requests of each address; the last function responds to all further requests. */
const responses: Readonly<Record<string, readonly Respond[]>> = {
  plain: [succeed],
  gzip: [
    (response) =>
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync(JSON.stringify(answer))),
  ],
  interim: [
    (response, body) => {
      response.writeContinue()
      succeed(response, body)
    },
  ],
  overloaded: [failWith(529, 'overloaded_error'), succeed],
  limited: [failWith(429, 'rate_limit_error', { 'retry-after': '1' }), succeed],
  reset: [(response) => response.destroy(), succeed],
  cutOff: [
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
      response.write('{"id"', () => response.destroy())
    },
    succeed,
  ],
  invalid: [failWith(400, 'invalid_request_error', { 'request-id': 'req_9' })],
  unauthorized: [failWith(401, 'authentication_error')],
  silent: [() => {}],
  aborted: [() => {}],
  noServer: [],
  tls: [succeed],
  unknownTls: [succeed],
  proxy: [succeed],
  ownFetch: [succeed],
  stream: [succeed],
  last: [succeed],
}

const toEvent = (type: string, data: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
const toDelta = (text: string) =>
  toEvent('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })
const streamStart =
  toEvent('message_start', { message: { ...message, content: [], stop_reason: null } }) +
  toEvent('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }) +
  toDelta('The tide')
const streamEnd =
  toDelta(' is high: é.') +
  toEvent('content_block_stop', { index: 0 }) +
  toEvent('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } }) +
  toEvent('message_stop', {})

/** Starts servers that behave as their addresses say, and a proxy. */
async function startServers() {
  const left = new Map(Object.entries(responses).map(([name, all]) => [name, [...all]]))
  const tunnels: (string | undefined)[] = []
  let isCancelled = false
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const sent = await text(request)
    const body = JSON.parse(sent) as { readonly stream?: boolean }
    const address = request.url?.split('/')[1] ?? ''
    // After a plain reply that timed out, the client asks for streams.
    if (body.stream && address !== 'silent') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(streamStart)
      if (!sent.includes('Leave early')) response.end(streamEnd)
      else response.on('close', () => (isCancelled = true))
      return
    }
    const queue = left.get(address) ?? []
    const [next] = queue.length > 1 ? queue.splice(0, 1) : queue
    next?.(response, body)
  }
  const listener = (request: IncomingMessage, response: ServerResponse) => void respond(request, response)
  const key = await readFile(join(certificates, 'key.pem'))
  const startTls = async (name: string) =>
    listen(createTlsServer({ key, cert: await readFile(join(certificates, name)) }, listener))
  const plain = await listen(createServer(listener))
  const proxy = createServer().on('connect', (request, socket) => {
    tunnels.push(request.url)
    const upstream = connect(plain, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    upstream.on('error', () => socket.destroy())
    socket.on('error', () => upstream.destroy())
    socket.pipe(upstream).pipe(socket)
  })
  const hosts: Readonly<Record<string, string>> = {
    noServer: 'http://127.0.0.1:1',
    tls: `https://localhost:${await startTls('signed.pem')}`,
    unknownTls: `https://localhost:${await startTls('expired.pem')}`,
    proxy: 'http://api.test',
  }
  const addresses = Object.fromEntries(
    Object.keys(responses).map((name) => [name, `${hosts[name] ?? `http://127.0.0.1:${plain}`}/${name}`]),
  )
  return {
    addresses,
    proxy: `http://127.0.0.1:${await listen(proxy)}`,
    tunnels,
    cancelled: () => isCancelled,
  }
}

/** @returns the port */
async function listen(server: Server & { closeAllConnections(): void }): Promise<number> {
  server.listen(0)
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
