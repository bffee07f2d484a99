// Measures how much `serve` delays the first word of a reply, and which resources leak with many clients.
//   node bench/serve.js [--short] [--json FILE]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import Anthropic from '@anthropic-ai/sdk'
import { startSimulator } from '../.build/simulator.js'

const { values } = parseArgs({ options: { short: { type: 'boolean' }, json: { type: 'string' } } })
const child = fileURLToPath(new URL('serve-child.js', import.meta.url))
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

/** The prompt of clients that disconnect early. */
const leavers = 'Why should I stay?'

const results = { latency: await latency(values.short ? 40 : 300), crowd: await crowd(values.short ? 2 : 6) }
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, null, 2)}\n`)
const { latency: ttft, crowd: many } = results
const right = ttft.ratio <= 1.1 && many.upstreamCancelled === many.hungUp && many.slowestCancelMs < 1000
const kept = many.refused === 0 && many.limited === 0 && many.wrong === 0
const clean = many.left.sockets <= 0 && many.left.timers <= 0 && many.left.heapMB < 5
if (!right || !kept || !clean) process.exitCode = 1

/** Measures the time to the first word, alternately through the SDK and through `serve`. */
async function latency(rounds) {
  const simulator = await startSimulator({
    limits: { rpm: 1e9, itpm: 1e12, otpm: 1e12 },
    script: () => ({ kind: 'by-hand', respond: (response) => speak(response, 100) }),
  })
  const server = await serve(simulator.url, '-q')
  const direct = new Anthropic({ baseURL: simulator.url, apiKey: 'bench', maxRetries: 0 })
  const body = { model: 'claude-haiku-5-5', max_tokens: 1024, messages: [{ role: 'user', content: 'Why?' }] }
  const ways = {
    async direct() {
      const start = performance.now()
      let first
      for await (const event of await direct.messages.create({ ...body, stream: true }))
        if (event.type === 'content_block_delta') first ??= performance.now() - start
      return first
    },
    async serve() {
      const start = performance.now()
      let first
      await ask(server.url, 'Why?', (text) => {
        if (text.includes('"text"')) first ??= performance.now() - start
      })
      return first
    },
  }
  const times = { direct: [], serve: [] }
  for (let n = -5; n < rounds; n++) {
    for (const way of ['direct', 'serve']) {
      const time = await ways[way]()
      if (n >= 0) times[way].push(time)
    }
  }
  await server.stop()
  await simulator.close()
  const [directMs, serveMs] = [median(times.direct), median(times.serve)]
  const result = { rounds, directMs, serveMs, addedMs: serveMs - directMs, ratio: serveMs / directMs }
  console.log(
    `first word: ${directMs.toFixed(1)} ms directly, ${serveMs.toFixed(1)} ms through serve, ratio ${result.ratio.toFixed(3)} (median of ${rounds})`,
  )
  return result
}

/** Runs rounds of 200 parallel clients, of which a third disconnects early and a tenth reads slowly. */
async function crowd(rounds) {
  const limits = { rpm: 3000, itpm: 1e9, otpm: 1e9 }
  const text = 'A harbour has a keeper, who writes down every ship. '.repeat(8)
  const simulator = await startSimulator({
    limits,
    // A reply must not end before its client disconnects, even on a busy machine.
    script: ({ request }) => ({ kind: 'answer', delayMs: request.lastText === leavers ? 4000 : 600, text }),
  })
  const server = await serve(simulator.url, '-q', '--max-queue', '400')
  const totals = { clients: 0, hungUp: 0, slow: 0, wrong: 0, refused: 0 }
  const [hungUpAt, cancelledAt] = [[], []]
  const watching = setInterval(() => {
    const { aborted } = simulator.stats()
    while (cancelledAt.length < aborted) cancelledAt.push(performance.now())
  }, 2)
  let before
  let mostRss = 0
  for (let round = 0; round <= rounds; round++) {
    // The first round warms up connections, code and heap.
    if (round === 1) before = await server.look()
    const clients = Array.from({ length: 200 }, async (_, n) => {
      totals.clients++
      if (n % 3 === 0) {
        await leaveHalfWay(server.url, () => hungUpAt.push(performance.now()))
        totals.hungUp++
        return
      }
      const slow = n % 10 === 1
      if (slow) totals.slow++
      const events = await (slow ? readSlowly : ask)(server.url, `Why ${n}?`)
      if (events.includes('queue_full')) totals.refused++
      if (!events.includes('"done":true')) totals.wrong++
    })
    await Promise.all(clients)
    mostRss = Math.max(mostRss, (await server.look()).rss)
  }
  // Idle keep-alive connections are not leaks, so they get time to close.
  let after = await server.look()
  for (let n = 0; n < 100 && after.sockets > before.sockets; n++) {
    await sleep(100)
    after = await server.look()
  }
  const { requestTimes, byStatus } = simulator.stats()
  clearInterval(watching)
  await server.stop()
  await simulator.close()
  const delays = cancelledAt.map((time, n) => time - hungUpAt[n])
  const result = {
    ...totals,
    upstreamCancelled: cancelledAt.length,
    slowestCancelMs: Math.max(...delays),
    requests: requestTimes.length,
    limited: byStatus.get(429) ?? 0,
    left: {
      sockets: after.sockets - before.sockets,
      timers: after.timers - before.timers,
      heapMB: (after.heap - before.heap) / 1e6,
    },
    mostRssMB: mostRss / 1e6,
  }
  console.log(JSON.stringify(result, null, 2))
  return result
}

/** Streams a reply whose first word comes after `firstMs`. */
async function speak(response, firstMs) {
  const event = (fields) => response.write(`event: ${fields.type}\ndata: ${JSON.stringify(fields)}\n\n`)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  event({ type: 'message_start', message: { usage: { input_tokens: 9, output_tokens: 1 } } })
  await sleep(firstMs)
  for (const text of ['A ', 'harbour ', 'has ', 'a ', 'keeper.'])
    event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })
  event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 9 } })
  event({ type: 'message_stop' })
  response.end()
}

async function serve(service, ...flags) {
  const env = { PATH: process.env.PATH, ANTHROPIC_BASE_URL: service, ANTHROPIC_API_KEY: 'bench' }
  const server = fork(child, ['serve', '--port', '0', ...flags], {
    env,
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const [address] = await once(server.stdout, 'data')
  return {
    url: String(address).trim(),
    async look() {
      server.send('look')
      return (await once(server, 'message'))[0]
    },
    async stop() {
      server.kill('SIGTERM')
      await once(server, 'close')
    },
  }
}

function post(url, prompt, signal) {
  const headers = { 'content-type': 'application/json' }
  return fetch(`${url}/stream`, { method: 'POST', headers, body: JSON.stringify({ prompt }), signal })
}

/** Sends a prompt. @param each called with each chunk of the response @returns the whole response */
async function ask(url, prompt, each = () => {}) {
  const response = await post(url, prompt)
  let all = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    each(chunk)
    all += chunk
  }
  return all
}

async function leaveHalfWay(url, leaving) {
  const leave = new AbortController()
  const response = await post(url, leavers, leave.signal)
  let chunks = 0
  try {
    for await (const _ of response.body) {
      if (++chunks < 3) continue
      leaving()
      leave.abort()
    }
  } catch {
    // The abort ends the loop with an error.
  }
}

/** Reads the response in small pieces, over a separate connection. */
async function readSlowly(url, prompt) {
  const { hostname, port } = new URL(url)
  const body = JSON.stringify({ prompt })
  const socket = connect({ host: hostname, port: Number(port), highWaterMark: 64 })
  socket.write(
    `POST /stream HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  let all = ''
  for await (const chunk of socket) {
    all += chunk
    await sleep(20)
  }
  return all
}
