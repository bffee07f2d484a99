import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

it('a proxy that closes the connection instead of answering is asked once per attempt', async () => {
  let connections = 0
  const proxy = createServer()
  proxy.on('connect', (_request, socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void proxy.close())
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const cwd = await createFolder({ 'docs/a.md': 'Note a.', 'docs/b.md': 'Note b.' })
  for (const [base, variable] of [
    ['http://api.internal', 'HTTP_PROXY'],
    ['https://api.internal', 'HTTPS_PROXY'],
  ] as const) {
    connections = 0
    const env = { ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: base, [variable]: url }
    const args = ['summarize', 'docs', '--retries', '1', '--concurrency', '1', '--allow-http', 'api.internal']
    const run = await runInProcess(args, { cwd, env, clockSpeed: 100 })
    expect([run.code, run.stderr]).toEqual([
      75,
      expect.stringContaining('the proxy closed the connection without an answer'),
    ])
    expect(connections).toBe(2)
  }
})
