import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type ListenOptions, listen } from '../../src/serve/http-server.ts'
import { sendRawBytes, sendRawRequest } from '../support/raw-http.ts'

async function listening(options: Partial<ListenOptions> = {}) {
  const fetch = async (request: Request) => new Response(`read ${(await request.text()).length}`)
  const server = await listen({ fetch }, { host: '127.0.0.1', port: 0, ...options })
  onTestFinished(async () => {
    server.closeAllConnections()
    await server.close()
  })
  return server
}
const impatient = { headersMs: 100, requestMs: 200, idleMs: 300 }
const begun = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n'

describe('S07 a listener', () => {
  it('closes connections whose headers or bodies do not arrive', async () => {
    const { url } = await listening({ timeouts: impatient })
    expect(await sendRawBytes(url, begun)).toMatch(/^HTTP\/1.1 408 /)
    expect(await sendRawBytes(url, `${begun}\r\nhalf`)).toMatch(/^(HTTP\/1.1 408 |$)/)
    expect(await sendRawRequest(url, '/')).toMatchObject({ status: 200 })
  })

  it('closes idle connections', async () => {
    const { url } = await listening({ timeouts: impatient })
    expect(await sendRawBytes(url, '')).toMatch(/^(HTTP\/1.1 408 |$)/)
  })

  it('limits the number of connections, and accepts new ones after others have closed', async () => {
    const { url } = await listening({ maxConnections: 20 })
    const open = Array.from({ length: 20 }, () => connect(Number(new URL(url).port), '127.0.0.1'))
    await Promise.all(open.map((socket) => once(socket, 'connect')))
    await expect(sendRawRequest(url, '/')).rejects.toThrow()
    const closed = open.map((socket) => once(socket, 'close'))
    for (const socket of open) socket.destroy()
    await Promise.all(closed)
    await expect.poll(() => sendRawRequest(url, '/').catch(() => undefined)).toMatchObject({ status: 200 })
  })

  it('does not wait for connections without a request when it closes', async () => {
    const server = await listening()
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    await once(socket, 'connect')
    // The connection is accepted by now, because a later one was answered.
    await sendRawRequest(server.url, '/')
    await server.close()
  })
})
