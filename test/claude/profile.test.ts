import { chmod, readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

it('the expired token of a profile is refreshed, and the new token is saved', async () => {
  const { simulator } = await startService({})
  const grants: unknown[] = []
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/v1/oauth/token') {
      grants.push(await json(request))
      const token = { access_token: 'a-new-token', token_type: 'Bearer', expires_in: 3600 }
      response.end(JSON.stringify(token))
    } else {
      const body = JSON.stringify(await json(request))
      const { authorization = '' } = request.headers
      const headers = { 'content-type': 'application/json', authorization }
      const answer = await fetch(`${simulator.url}${request.url}`, { method: 'POST', headers, body })
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
    }
  }
  const server = createServer((request, response) => void respond(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const authentication = { type: 'user_oauth', client_id: 'client' }
  const expired = { type: 'oauth_token', access_token: 'old', expires_at: 1, refresh_token: 'refresh' }
  const cwd = await createFolder({
    'a.md': 'The harbour.',
    'anthropic/configs/default.json': JSON.stringify({ base_url: url, authentication }),
    'anthropic/credentials/default.json': JSON.stringify(expired),
  })
  const credentials = join(cwd, 'anthropic/credentials/default.json')
  await chmod(credentials, 0o600)
  const env = { ANTHROPIC_CONFIG_DIR: join(cwd, 'anthropic') }
  expect(await runInProcess(['summarize', 'a.md', '-q'], { cwd, env })).toMatchObject({ code: 0, stderr: '' })
  expect(grants).toEqual([{ grant_type: 'refresh_token', refresh_token: 'refresh', client_id: 'client' }])
  expect(await readFile(credentials, 'utf8')).toContain('a-new-token')
})
