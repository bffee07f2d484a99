import { hash } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import * as aws4 from 'aws4'
import { onTestFinished, vi } from 'vitest'
import type { Platform } from '../../src/claude/platforms/open-platform-client.ts'
import type { Simulator, SimulatorOptions } from '../../src/simulator/simulator.ts'
import { encodeChunk, encodeException } from './event-stream.ts'
import { startService } from './run-cli.ts'

/** A request as it arrived. */
interface SeenRequest {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A response of the platform itself. */
export interface PlatformAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

export interface PlatformServer {
  /** The environment variables that make the program use the platform. */
  readonly env: Readonly<Record<string, string>>
  readonly simulator: Simulator
  readonly requests: readonly SeenRequest[]
}

export const awsKeys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret/example+key0123456789' }
export const region = 'eu-central-1'
const googleToken = 'ya29.example-token'

interface PlatformOptions extends SimulatorOptions {
  /** A value of `x-api-key` to accept in place of the platform's credentials. */
  readonly key?: string
  /** A bearer token to accept in place of the platform's credentials. */
  readonly bearer?: string
  /** Returns the platform's own answer to a request; undefined to answer it as the model would. */
  readonly answer?: (request: SeenRequest) => PlatformAnswer | undefined
}

/** Starts a server that behaves like a platform, in front of a simulator. It rejects wrong credentials. */
export async function startPlatform(
  platform: Platform,
  { answer, bearer, key, ...simulatorOptions }: PlatformOptions = {},
): Promise<PlatformServer> {
  const { simulator } = await startService(simulatorOptions)
  const requests: SeenRequest[] = []
  const respond = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const request = { url: incoming.url ?? '/', headers: incoming.headers, body: await text(incoming) }
    requests.push(request)
    const { authorization, 'x-api-key': sentKey } = request.headers
    const isAccepted =
      (bearer !== undefined && authorization === `Bearer ${bearer}`) || (key !== undefined && sentKey === key)
    const own =
      (isAccepted ? undefined : dialects[platform].rejectCredentials(request, incoming.method ?? 'GET')) ??
      answer?.(request)
    if (own !== undefined) {
      outgoing.writeHead(own.status, { 'content-type': 'application/json', ...own.headers }).end(own.body)
      return
    }
    await dialects[platform].pass(request, incoming.method ?? 'GET', simulator.url, outgoing)
  }
  const server = createServer((incoming, outgoing) => {
    // The client has hung up, or the simulator cut the connection.
    respond(incoming, outgoing).catch(() => outgoing.destroy())
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const credentials = platform === 'vertex' ? await startMetadataServer() : {}
  return { env: { ...dialects[platform].env(url), ...credentials }, simulator, requests }
}

/**
 * Starts a metadata server of Google Cloud, which gives a token to the machine it runs on. The library of Google
 * reads its variables from the process.
 */
async function startMetadataServer(): Promise<Readonly<Record<string, string>>> {
  const server = createServer(({ url = '' }, response) => {
    response.setHeader('metadata-flavor', 'Google')
    if (!url.includes('/token')) return response.end('{}')
    response.setHeader('content-type', 'application/json')
    return response.end(JSON.stringify({ access_token: googleToken, expires_in: 3600, token_type: 'Bearer' }))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => {
    vi.unstubAllEnvs()
    server.closeAllConnections()
    server.close()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const variables = { GCE_METADATA_HOST: host, METADATA_SERVER_DETECTION: 'assume-present' }
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  return variables
}

interface Dialect {
  env(url: string): Readonly<Record<string, string>>
  rejectCredentials(request: SeenRequest, method: string): PlatformAnswer | undefined
  pass(request: SeenRequest, method: string, simulatorUrl: string, outgoing: ServerResponse): Promise<void>
}

const dialects: Readonly<Record<Platform, Dialect>> = {
  bedrock: {
    env: (url) => ({ ANTHROPIC_BEDROCK_BASE_URL: url, ...awsEnv }),
    rejectCredentials: (request, method) => rejectSignature(request, method, 'bedrock'),
    async pass({ url, body }, _method, simulatorUrl, outgoing) {
      const [, model = '', operation] =
        /^\/model\/([^/]+)\/(invoke(?:-with-response-stream)?)$/.exec(url) ?? []
      if (operation === undefined)
        return sendJson(outgoing, 404, { message: 'unknown operation' }, 'UnknownOperationException')
      const { anthropic_version: version, ...fields } = JSON.parse(body) as Record<string, unknown>
      const stream = operation !== 'invoke'
      const response = await sendMessage(simulatorUrl, {
        ...fields,
        model: nameModel(decodeURIComponent(model)),
        ...(stream && { stream }),
      })
      const identity = { 'x-amzn-requestid': `req_${response.headers.get('request-id') ?? ''}` }
      if (version === undefined)
        return sendJson(
          outgoing,
          400,
          { message: 'anthropic_version: Field required' },
          'ValidationException',
        )
      if (!response.ok) {
        const { error } = (await response.json()) as { error: { message: string } }
        const [status, name] = awsErrors[response.status] ?? [500, 'InternalServerException']
        return sendJson(outgoing, status, { message: error.message }, name, {
          ...identity,
          ...copyHeader(response, 'retry-after'),
        })
      }
      if (!stream) return sendText(outgoing, 200, await response.text(), identity)
      outgoing.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream', ...identity })
      for await (const line of createInterface({ input: Readable.fromWeb(response.body as never) })) {
        if (!line.startsWith('data: ')) continue
        const data = line.slice('data: '.length)
        const { type, error } = JSON.parse(data) as { type: string; error?: { message: string } }
        outgoing.write(
          type === 'error'
            ? encodeException('internalServerException', error?.message ?? '')
            : encodeChunk(data),
        )
      }
      outgoing.end()
    },
  },
  vertex: {
    env: (url) => ({
      ANTHROPIC_VERTEX_BASE_URL: `${url}/v1`,
      CLOUD_ML_REGION: 'europe-west1',
      ANTHROPIC_VERTEX_PROJECT_ID: 'my-project',
    }),
    rejectCredentials: ({ headers }) =>
      headers.authorization === `Bearer ${googleToken}` && headers['x-api-key'] === undefined
        ? undefined
        : { status: 401, body: JSON.stringify(createGoogleError(401, 'UNAUTHENTICATED', 'no valid token')) },
    async pass({ url, body }, _method, simulatorUrl, outgoing) {
      const path =
        /^\/v1\/projects\/my-project\/locations\/(?:europe-west1|global)\/publishers\/anthropic\/models\/([^/]+):(rawPredict|streamRawPredict)$/
      const [, model = '', operation] = path.exec(url) ?? []
      const { anthropic_version: version, ...fields } = JSON.parse(body) as Record<string, unknown>
      if (operation === undefined || version === undefined)
        return sendJson(outgoing, 404, createGoogleError(404, 'NOT_FOUND', `not found: ${url}`))
      const isCount = model === 'count-tokens'
      const response = await sendMessage(
        simulatorUrl,
        { ...fields, ...(!isCount && { model: nameModel(decodeURIComponent(model)) }) },
        isCount ? '/v1/messages/count_tokens' : '/v1/messages',
      )
      const [status, name] = googleErrors[response.status] ?? []
      if (status !== undefined && name !== undefined) {
        const { error } = (await response.json()) as { error: { message: string } }
        return sendJson(
          outgoing,
          status,
          createGoogleError(status, name, error.message),
          undefined,
          copyHeader(response, 'retry-after'),
        )
      }
      await copyResponse(response, outgoing)
    },
  },
  foundry: {
    env: (url) => ({
      ANTHROPIC_FOUNDRY_BASE_URL: `${url}/anthropic`,
      ANTHROPIC_FOUNDRY_API_KEY: 'foundry-key-0123456789',
    }),
    rejectCredentials: ({ headers }) =>
      headers['x-api-key'] === 'foundry-key-0123456789' && headers.authorization === undefined
        ? undefined
        : {
            status: 401,
            body: '{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint."}}',
          },
    async pass({ url, body }, _method, simulatorUrl, outgoing) {
      const path = url.replace(/^\/anthropic/, '')
      if (path === url)
        return sendJson(outgoing, 404, { error: { code: '404', message: 'Resource not found' } })
      await copyResponse(
        await sendMessage(simulatorUrl, JSON.parse(renameModel(body)) as object, path),
        outgoing,
      )
    },
  },
  aws: {
    env: (url) => ({ ANTHROPIC_AWS_BASE_URL: url, ANTHROPIC_AWS_WORKSPACE_ID: 'wrkspc_01ABC', ...awsEnv }),
    rejectCredentials: (request, method) =>
      request.headers['anthropic-workspace-id'] === 'wrkspc_01ABC'
        ? rejectSignature(request, method, 'aws-external-anthropic')
        : {
            status: 400,
            body: '{"type":"error","error":{"type":"invalid_request_error","message":"workspace"}}',
          },
    async pass({ url, body, headers }, method, simulatorUrl, outgoing) {
      const response = await fetch(new URL(url, simulatorUrl), {
        method,
        headers: {
          'x-api-key': 'any',
          'anthropic-version': '2026-10-21',
          'content-type': 'application/json',
        },
        ...(method !== 'GET' && { body: body === '' ? body : renameModel(body) }),
      })
      // The addresses of results are the platform's own.
      await copyResponse(response, outgoing, {
        all: true,
        rename: [simulatorUrl, `http://${headers.host}`],
      })
    },
  },
}

const awsEnv = {
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: awsKeys.accessKeyId,
  AWS_SECRET_ACCESS_KEY: awsKeys.secretAccessKey,
}

/** Recomputes the signature of a request with another library than the one that signed it. */
function rejectSignature(
  { url, headers, body }: SeenRequest,
  method: string,
  service: string,
): PlatformAnswer | undefined {
  const sent = headers.authorization ?? ''
  const names = /SignedHeaders=([^,]+)/.exec(sent)?.[1]?.split(';') ?? []
  const signedHeaders = Object.fromEntries(
    names.filter((name) => name !== 'x-amz-content-sha256').map((name) => [name, String(headers[name])]),
  )
  const sha256 = headers['x-amz-content-sha256']
  const expected = aws4.sign(
    {
      method,
      host: headers.host ?? '',
      path: url,
      headers: {
        ...signedHeaders,
        ...(names.includes('x-amz-content-sha256') && { 'x-amz-content-sha256': hashBody(body) }),
      },
      body,
      service,
      region,
      // aws4 adds it, and would sign it too.
      extraHeadersToIgnore: { 'content-length': true },
    },
    awsKeys,
  ).headers['Authorization']
  const isSigned =
    sent === expected && names.includes('host') && (sha256 === undefined || sha256 === hashBody(body))
  return isSigned
    ? undefined
    : {
        status: 403,
        headers: {
          'x-amzn-errortype':
            'InvalidSignatureException:http://internal.amazon.com/coral/com.amazon.coral.service/',
        },
        body: JSON.stringify({
          message: 'The request signature we calculated does not match the signature you provided.',
        }),
      }
}

/** Statuses of the simulator, as Amazon Bedrock answers them. */
const awsErrors: Readonly<Record<number, readonly [number, string]>> = {
  400: [400, 'ValidationException'],
  401: [403, 'UnrecognizedClientException'],
  403: [403, 'AccessDeniedException'],
  404: [404, 'ResourceNotFoundException'],
  413: [413, 'ValidationException'],
  429: [429, 'ThrottlingException'],
  500: [500, 'InternalServerException'],
  529: [503, 'ServiceUnavailableException'],
}

/** Statuses that Google answers itself. The model's own errors, such as a 400, pass through. */
const googleErrors: Readonly<Record<number, readonly [number, string]>> = {
  401: [401, 'UNAUTHENTICATED'],
  403: [403, 'PERMISSION_DENIED'],
  404: [404, 'NOT_FOUND'],
  429: [429, 'RESOURCE_EXHAUSTED'],
  529: [503, 'UNAVAILABLE'],
}

function createGoogleError(code: number, status: string, message: string) {
  return { error: { code, message, status, details: [] } }
}

/** Returns the model's own name, as the replies of platforms contain it. Other ids are deployments of Haiku. */
function nameModel(id: string): string {
  const name = id.replace(/^.*anthropic\./, '').replace(/@\d{8}$|-\d{8}-v1:0$/, '')
  return name.startsWith('claude-') ? name : 'claude-haiku-5-5'
}

/** Returns the body of a request, or of a batch of requests, with the models' own names. */
function renameModel(body: string): string {
  return JSON.stringify(JSON.parse(body), (key, value: unknown) =>
    key === 'model' && typeof value === 'string' ? nameModel(value) : value,
  )
}

function sendMessage(simulatorUrl: string, body: object, path = '/v1/messages'): Promise<Response> {
  return fetch(new URL(path, simulatorUrl), {
    method: 'POST',
    headers: { 'x-api-key': 'any', 'anthropic-version': '2026-10-21', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

interface CopyOptions {
  /** Whether the headers of rate limits are copied too. */
  readonly all?: boolean
  /** A text in the body to replace. */
  readonly rename?: readonly [string, string]
}

async function copyResponse(
  response: Response,
  outgoing: ServerResponse,
  { all = false, rename }: CopyOptions = {},
): Promise<void> {
  const headers = [...response.headers].filter(
    ([name]) =>
      !['transfer-encoding', 'content-length'].includes(name) &&
      (all || !/^anthropic-(ratelimit|organization)/.test(name)),
  )
  outgoing.writeHead(response.status, Object.fromEntries(headers))
  for await (const chunk of response.body ?? [])
    outgoing.write(
      rename === undefined
        ? chunk
        : Buffer.from(chunk)
            .toString('latin1')
            .replaceAll(...rename),
      'latin1',
    )
  outgoing.end()
}

function copyHeader(response: Response, name: string): Record<string, string> {
  const value = response.headers.get(name)
  return value === null ? {} : { [name]: value }
}

function sendJson(
  outgoing: ServerResponse,
  status: number,
  body: object,
  awsError?: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendText(outgoing, status, JSON.stringify(body), {
    ...(awsError !== undefined && { 'x-amzn-errortype': awsError }),
    ...headers,
  })
}

function sendText(
  outgoing: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>>,
): void {
  outgoing.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
}

function hashBody(body: string): string {
  return hash('sha256', body)
}
