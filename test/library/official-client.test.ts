import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { AnthropicAws } from '@anthropic-ai/aws-sdk'
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk'
import { AnthropicFoundry } from '@anthropic-ai/foundry-sdk'
import Anthropic from '@anthropic-ai/sdk'
import { AnthropicVertex } from '@anthropic-ai/vertex-sdk'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type ClientOptions, createClient, summarizeAll } from '../../src/index.ts'
import { collectItems, getRejection, overloaded } from '../support/library-client.ts'
import { awsKeys, region, startPlatform } from '../support/platform-server.ts'
import { startService } from '../support/run-cli.ts'

const apiKey = 'sk-ant-test-0123456789'

function create(options: ClientOptions) {
  const client = createClient({ env: {}, retries: 1, ...options })
  onTestFinished(() => client.close())
  return client
}

const awsSecrets = { awsAccessKey: awsKeys.accessKeyId, awsRegion: region }

describe('createClient with an official client', () => {
  it.each([
    [
      'bedrock',
      'global.anthropic.claude-haiku-5-5',
      (env: Env) =>
        new AnthropicBedrock({
          ...awsSecrets,
          awsSecretKey: awsKeys.secretAccessKey,
          baseURL: env['ANTHROPIC_BEDROCK_BASE_URL'] ?? '',
          apiKey: null,
        }),
    ],
    [
      'vertex',
      'claude-haiku-5-5',
      (env: Env) =>
        new AnthropicVertex({
          region: env['CLOUD_ML_REGION'] ?? '',
          projectId: env['ANTHROPIC_VERTEX_PROJECT_ID'] ?? '',
          baseURL: env['ANTHROPIC_VERTEX_BASE_URL'] ?? '',
        }),
    ],
    [
      'foundry',
      'claude-haiku-5-5',
      (env: Env) =>
        new AnthropicFoundry({
          apiKey: env['ANTHROPIC_FOUNDRY_API_KEY'],
          baseURL: env['ANTHROPIC_FOUNDRY_BASE_URL'],
        }),
    ],
    [
      'aws',
      'claude-haiku-5-5',
      (env: Env) =>
        new AnthropicAws({
          ...awsSecrets,
          awsSecretAccessKey: awsKeys.secretAccessKey,
          workspaceId: env['ANTHROPIC_AWS_WORKSPACE_ID'],
          baseURL: env['ANTHROPIC_AWS_BASE_URL'],
        }),
    ],
  ] as const)('sends requests with it: %s', async (platform, model, open) => {
    const { env, requests } = await startPlatform(platform)
    const client = create({ client: open(env), model })
    expect((await client.complete('Hello, harbour.')).text).toContain('Hello')
    const pieces = await collectItems(client.stream('Hello, harbour.'))
    expect(pieces.join('')).toContain('Hello')
    const outcomes = await collectItems(summarizeAll(['One harbour.', 'Two harbours.'], { client }))
    expect(outcomes.map(({ status }) => status)).toEqual(['summarized', 'summarized'])
    expect(requests).toHaveLength(4)
  })

  it('uses neither the retries of that client nor the environment', async () => {
    const { simulator } = await startService({ script: () => overloaded })
    const official = new Anthropic({ apiKey, baseURL: simulator.url, maxRetries: 5 })
    const client = create({ client: official, retries: 1, env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' } })
    expect(await getRejection(client.complete('Hello.'))).toMatchObject({ status: 529, attempts: 2 })
    expect(simulator.stats().requests).toBe(2)
  })

  it('rejects with an error whose cause is the error of that client', async () => {
    const { simulator } = await startService({ script: () => ({ kind: 'status', status: 400 }) })
    const client = create({ client: new Anthropic({ apiKey, baseURL: simulator.url }) })
    const { result } = client.stream('Hello.')
    for (const answer of [client.complete('Hello.'), result]) {
      const error = (await getRejection(answer)) as Error
      expect(error.cause).toBeInstanceOf(Anthropic.BadRequestError)
      expect(error.cause).toMatchObject({ status: 400, type: 'invalid_request_error' })
    }
  })

  it('ends summarizeAll with an error whose cause is the error of that client', async () => {
    const { simulator } = await startService({ script: () => ({ kind: 'status', status: 401 }) })
    const client = create({ client: new Anthropic({ apiKey, baseURL: simulator.url }) })
    const error = (await getRejection(collectItems(summarizeAll(['A harbour.'], { client })))) as Error
    expect(error.cause).toBeInstanceOf(Anthropic.AuthenticationError)
  })

  it('removes the key from the cause too, and from everything else of the error', async () => {
    const text = `the key is ${apiKey}`
    const body = JSON.stringify({ type: 'error', error: { type: 'authentication_error', message: text } })
    const headers = { 'content-type': 'application/json', 'x-echo': apiKey }
    for (const status of [400, 401]) {
      const { simulator } = await startService({ script: () => ({ kind: 'raw', status, headers, body }) })
      const client = create({ client: new Anthropic({ apiKey, baseURL: simulator.url }) })
      const error = await getRejection(client.complete('Hello.'))
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(apiKey)
      expect((error as Error).cause).toBeInstanceOf(Anthropic.APIError)
    }
  })

  it.each([
    [
      'a function that returns keys',
      (baseURL: string) => new Anthropic({ apiKey: async () => 'key-of-a-function', baseURL }),
      'key-of-a-function',
    ],
    [
      'a header of the client',
      (baseURL: string) =>
        new Anthropic({ apiKey, baseURL, defaultHeaders: { 'x-gateway-key': 'secret-of-a-header' } }),
      'secret-of-a-header',
    ],
    [
      'the token of Entra',
      (baseURL: string) =>
        new AnthropicFoundry({ baseURL, azureADTokenProvider: async () => 'token-of-entra' }),
      'token-of-entra',
    ],
    [
      'the token of Google',
      (baseURL: string) =>
        new AnthropicVertex({
          baseURL,
          region: 'global',
          projectId: 'p',
          authClient: {
            getRequestHeaders: async () => new Headers({ authorization: 'Bearer token-of-google' }),
          } as never,
        }),
      'token-of-google',
    ],
    [
      'the session token of a chain',
      (baseURL: string) =>
        new AnthropicBedrock({
          baseURL,
          awsRegion: region,
          apiKey: null,
          providerChainResolver: async () => async () => ({
            ...awsKeys,
            sessionToken: 'session-token-of-a-chain',
          }),
        }),
      'session-token-of-a-chain',
    ],
  ])('removes what only the requests contain: %s', async (_, open, secret) => {
    let sent = ''
    const server = createServer((request, response) => {
      sent = JSON.stringify(request.headers)
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ type: 'error', error: { type: 'invalid_request_error', message: sent } }))
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const client = create({ client: open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`) })
    const error = await getRejection(client.complete('Hello.'))
    expect(sent).toContain(secret)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret)
    expect((error as Error).cause).toMatchObject({ status: 400 })
  })

  it('rejects with the cause of a network error', async () => {
    const client = create({ client: new Anthropic({ apiKey, baseURL: 'http://127.0.0.1:9' }), retries: 0 })
    const error = (await getRejection(client.complete('Hello.'))) as Error
    expect(error.cause).toMatchObject({ cause: expect.anything() })
  })

  it.each([
    [{ client: {} }, 'client must be a client of an official package'],
    [{ client: 'sk-ant' }, 'client must be a client of an official package'],
    [{ fetch: 'x' }, 'fetch must be a function'],
    [{ client: new Anthropic({ apiKey }), fetch }, 'pass only one of them'],
  ])('rejects %j', (options, message) => {
    expect(() => createClient(options as ClientOptions)).toThrow(message)
  })
})

describe('createClient with a fetch', () => {
  it('sends requests with it, and with the credentials of the environment', async () => {
    const { env, simulator } = await startService({})
    const send = vi.fn(fetch)
    const client = create({ fetch: send, env })
    expect((await client.complete('Hello, harbour.')).text).toContain('Hello')
    expect(send).toHaveBeenCalledWith(`${simulator.url}/v1/messages`, expect.anything())
  })
})

type Env = Readonly<Record<string, string>>
