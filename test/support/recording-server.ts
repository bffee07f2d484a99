import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

interface Body {
  readonly system: string
  readonly messages: readonly { readonly role: string; readonly content: string }[]
}

/** Starts a server that records request bodies and answers each request with a plain summary. */
export async function startRecordingServer() {
  const bodies: Body[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      bodies.push(JSON.parse(body || '{}') as Body)
      const content = [{ type: 'text', text: 'A summary.' }]
      const usage = { input_tokens: 9, output_tokens: 3 }
      const message = {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'claude-haiku-5-5',
        content,
        usage,
      }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ ...message, stop_reason: 'end_turn', stop_sequence: null }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.closeAllConnections())
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const closeConnections = () => server.closeAllConnections()
  return {
    bodies,
    url,
    closeConnections,
    env: { ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'sk-ant-test-0123456789' },
  }
}
