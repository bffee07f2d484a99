// Compares the user CPU of HTTP/1.1 over keep-alive connections and HTTP/2 over one connection, with undici,
// the client that claude-batch uses.
//   node bench/http2.js [--requests 5000] [--runs 3]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createSecureServer } from 'node:http2'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import request from 'undici/lib/api/api-request.js'
import Agent from 'undici/lib/dispatcher/agent.js'
import { spread } from './processes.js'

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '5000' },
    runs: { type: 'string', default: '3' },
    serve: { type: 'boolean', default: false },
  },
})
await (values.serve ? serve() : measure())

async function serve() {
  const pem = (name) => readFile(new URL(`../test/faults/tls/${name}.pem`, import.meta.url))
  const answer = JSON.stringify({ type: 'message', content: [{ type: 'text', text: 'x'.repeat(500) }] })
  const options = { key: await pem('key'), cert: await pem('localhost'), allowHTTP1: true }
  const server = createSecureServer(options, (asked, response) => {
    asked
      .resume()
      .on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(answer))
  })
  server.listen(0, () => process.send(server.address().port))
}

async function measure() {
  const child = fork(fileURLToPath(import.meta.url), ['--serve'])
  const [port] = await once(child, 'message')
  const used = { 'HTTP/1.1': [], 'HTTP/2': [] }
  // Interleaved, so that noise affects both protocols alike.
  for (let run = 0; run < Number(values.runs); run++)
    for (const [name, all] of Object.entries(used)) all.push(await userMs(port, name === 'HTTP/2'))
  child.kill()
  for (const [name, all] of Object.entries(used)) {
    const { min, median, max } = spread(all)
    console.log(`${name.padEnd(9)} ${median} ms of user CPU (${min}–${max})`)
  }
}

async function userMs(port, allowH2) {
  const dispatcher = new Agent({
    allowH2,
    connect: { rejectUnauthorized: false },
    ...(allowH2 && { connections: 1 }),
  })
  const options = {
    origin: `https://localhost:${port}`,
    path: '/v1/messages',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: 'y'.repeat(900),
  }
  let left = Number(values.requests)
  const before = process.cpuUsage()
  const worker = async () => {
    while (left-- > 0) await (await request.call(dispatcher, options)).body.json()
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  const { user } = process.cpuUsage(before)
  await dispatcher.destroy()
  return user / 1000
}
