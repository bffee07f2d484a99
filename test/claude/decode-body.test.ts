import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AskError } from '../../src/core/errors/ask-error.ts'
import { classifyError } from '../../src/core/errors/classify-error.ts'
import { collectItems } from '../support/library-client.ts'
import { createRequest } from '../support/scripted-ask.ts'
import { createClientOf, createClientServedBy } from '../support/served-client.ts'
import { end, start, textDelta } from '../support/stream-events.ts'

const never = new AbortController().signal
const plain = createRequest('a.md')
const streamed = createRequest('a.md', { maxTokens: 8192 })
const message = JSON.stringify({
  type: 'message',
  model: 'claude-haiku-5-5',
  stop_reason: 'end_turn',
  content: [{ type: 'text', text: 'A summary.' }],
})

/** A client of a server that answers every request with the given body and encoding. */
const sending = (body: Buffer, encoding: string, type = 'application/json', status = 200) =>
  createClientServedBy((_request, response) =>
    response.writeHead(status, { 'content-type': type, 'content-encoding': encoding }).end(body),
  )

const failureOf = async (asked: Promise<unknown>) =>
  ((await asked.catch((error: unknown) => error)) as AskError).requestError

const encoders: [string, (body: Buffer) => Buffer][] = [
  ['gzip', gzipSync],
  ['X-GZIP', gzipSync],
  ['br', brotliCompressSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['gzip, br', (body) => brotliCompressSync(gzipSync(body))],
  ['identity', (body) => body],
]

describe('a response that is compressed although the client did not request it', () => {
  it.each(encoders)('is decoded: %s', async (name, encode) => {
    expect((await (await sending(encode(Buffer.from(message)), name)).ask(plain, never)).text).toBe(
      'A summary.',
    )
    const events = encode(Buffer.from(start + textDelta('One ') + textDelta('two.') + end))
    const stream = await sending(events, name, 'text/event-stream')
    expect((await stream.ask(streamed, never)).text).toBe('One two.')
    const error = Buffer.from('{"type":"error","error":{"type":"overloaded_error","message":"busy"}}')
    const failing = await sending(encode(error), name, 'application/json', 529)
    expect(await failureOf(failing.ask(plain, never))).toMatchObject({ status: 529, message: 'busy' })
  })

  it('is decoded if it contains the results of a batch', async () => {
    const line = `${JSON.stringify({ custom_id: 'a', result: { type: 'canceled' } })}\n`
    const client = await createClientServedBy((request, response) => {
      const isResults = request.url?.endsWith('/results') === true
      response.setHeader('content-encoding', 'gzip')
      response.setHeader('content-type', 'application/json')
      response.end(gzipSync(isResults ? line.repeat(1000) : '{}'))
    })
    expect(await collectItems(client.batches.fetchResults('msgbatch_1', never))).toHaveLength(1000)
  })

  it.each(['plain', 'streamed'])('is rejected if it is too long after decoding: %s', async (how) => {
    const bomb = gzipSync(Buffer.alloc(200_000_000, how === 'plain' ? ' ' : ': x\n'))
    const client = await sending(bomb, 'gzip', how === 'plain' ? 'application/json' : 'text/event-stream')
    const fault = await failureOf(client.ask(how === 'plain' ? plain : streamed, never))
    expect(fault).toMatchObject({ kind: 'malformed', type: 'reply_too_large' })
  })

  it('is a transient error if it is truncated or damaged', async () => {
    for (const body of [gzipSync(message).subarray(0, -12), Buffer.from('not gzip at all')]) {
      const fault = await failureOf((await sending(body, 'gzip')).ask(plain, never))
      expect(fault).toMatchObject({ kind: 'malformed', type: 'malformed_reply' })
      expect(classifyError(fault)).toBe('transient')
    }
  })

  it('ends the run if its encoding is unknown, because every reply would be billed and lost', async () => {
    for (const request of [plain, streamed]) {
      const client = await sending(Buffer.from('?'), 'compress', 'text/event-stream')
      const fault = await failureOf(client.ask(request, never))
      expect(fault.message).toContain('encoded as "compress"')
      expect(classifyError(fault)).toBe('account')
    }
    const limited = await sending(Buffer.from('?'), 'compress', 'application/json', 429)
    expect(classifyError(await failureOf(limited.ask(plain, never)))).toBe('rate_limited')
  })
})

describe('an interim response', () => {
  it.each(['100 Continue', '103 Early Hints', '102 Processing'])(
    '%s does not hide the response that follows',
    async (line) => {
      for (const pieces of [1, 7]) {
        const interim = `HTTP/1.1 ${line}\r\nlink: </x>\r\n\r\n`
        const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${message.length}\r\n\r\n`
        const server = createTcpServer((socket) => {
          socket.setNoDelay(true)
          socket.on('error', () => {})
          let sent = ''
          const answer = async () => {
            const all = interim + interim + head + message
            const size = Math.ceil(all.length / pieces)
            for (let at = 0; at < all.length; at += size) {
              socket.write(all.slice(at, at + size))
              await new Promise(setImmediate)
            }
          }
          socket.on('data', (chunk) => {
            sent += chunk.toString()
            if (!sent.includes('"max_tokens"')) return
            sent = ''
            void answer()
          })
        }).listen(0, '127.0.0.1')
        await new Promise((resolve) => server.once('listening', resolve))
        onTestFinished(() => void server.close())
        const client = await createClientOf((server.address() as AddressInfo).port)
        for (let n = 0; n < 3; n++) expect((await client.ask(plain, never)).text).toBe('A summary.')
      }
    },
  )
})
