import { describe, expect, it } from 'vitest'
import { encodeChunk, encodeEvent, encodeException } from '../../support/event-stream.ts'
import { type PlatformAnswer, startPlatform } from '../../support/platform-server.ts'
import { createFolder } from '../../support/run-cli.ts'
import { runInProcess } from '../../support/run-in-process.ts'

const documents = { 'docs/a.md': 'Note a.', 'docs/b.md': 'Note b.' }

function awsError(status: number, name: string, message: string): PlatformAnswer {
  return { status, headers: { 'x-amzn-errortype': name }, body: JSON.stringify({ message }) }
}

function googleError(code: number, status: string, message: string): PlatformAnswer {
  return { status: code, body: JSON.stringify({ error: { code, message, status } }) }
}

function azureError(status: number, code: string, message: string): PlatformAnswer {
  return { status, body: JSON.stringify({ error: { code, message } }) }
}

describe('an error that concerns every request', () => {
  it.each([
    [
      'bedrock',
      awsError(403, 'AccessDeniedException', "You don't have access to the model."),
      'allow these credentials the actions',
    ],
    ['bedrock', awsError(403, 'ExpiredTokenException', 'The security token is expired'), 'renew them'],
    [
      'bedrock',
      awsError(403, 'UnrecognizedClientException', 'The security token is invalid.'),
      'check the AWS credentials in use',
    ],
    [
      'bedrock',
      awsError(403, 'InvalidSignatureException:http://internal.amazon.com/', 'Signature expired'),
      'the clock of this machine',
    ],
    [
      'bedrock',
      awsError(404, 'ResourceNotFoundException', 'Model use case details have not been submitted'),
      'check the model id and AWS_REGION',
    ],
    [
      'bedrock',
      awsError(400, 'ValidationException', 'The provided model identifier is invalid.'),
      'check the model id and AWS_REGION',
    ],
    [
      'bedrock',
      awsError(
        400,
        'ValidationException',
        'Invocation of model ID x with on-demand throughput isn’t supported.',
      ),
      'use the id or ARN of an inference profile',
    ],
    ['bedrock', awsError(400, 'ServiceQuotaExceededException', 'quota'), 'Service Quotas'],
    [
      'bedrock',
      awsError(429, 'ThrottlingException', 'Too many tokens per day, please wait before trying again.'),
      'continue tomorrow',
    ],
    [
      'bedrock',
      {
        status: 403,
        body: '{"__type":"com.amazon.coral.service#UnrecognizedClientException","Message":"invalid"}',
      },
      'check the AWS credentials in use',
    ],
    ['vertex', googleError(403, 'PERMISSION_DENIED', 'Permission denied'), 'roles/aiplatform.user'],
    ['vertex', googleError(404, 'NOT_FOUND', 'Publisher Model not found'), 'CLOUD_ML_REGION'],
    ['vertex', googleError(400, 'FAILED_PRECONDITION', 'not enabled'), 'Model Garden'],
    ['vertex', googleError(401, 'UNAUTHENTICATED', 'invalid'), 'gcloud auth application-default login'],
    [
      'vertex',
      { status: 403, body: '[{"error":{"code":403,"message":"denied","status":"PERMISSION_DENIED"}}]' },
      'roles/aiplatform.user',
    ],
    [
      'foundry',
      azureError(404, 'DeploymentNotFound', 'The API deployment does not exist.'),
      'the name of a deployment',
    ],
    [
      'foundry',
      azureError(401, '401', 'Access denied due to invalid subscription key.'),
      'check ANTHROPIC_FOUNDRY_API_KEY',
    ],
    [
      'foundry',
      { status: 401, body: '{"statusCode":401,"message":"Access denied."}' },
      'check ANTHROPIC_FOUNDRY_API_KEY',
    ],
    ['aws', awsError(403, 'AccessDeniedException', 'not allowed'), 'allow these credentials'],
  ] as const)('ends the run with advice: %s %j', async (provider, answer, advice) => {
    const { env, requests } = await startPlatform(provider, { answer: () => answer })
    const cwd = await createFolder(documents)
    const args = ['summarize', 'docs', '--provider', provider, '--concurrency', '1']
    const { code, stderr } = await runInProcess(args, { cwd, env, clockSpeed: 100 })
    expect([code, stderr]).toEqual([4, expect.stringContaining(advice)])
    expect(stderr).not.toContain('ANTHROPIC_BASE_URL')
    expect(requests.length).toBeLessThanOrEqual(2)
  })
})

describe('credentials that expire in the middle of a run', () => {
  it.each([
    [
      'bedrock',
      awsError(403, 'ExpiredTokenException', 'The security token included in the request is expired'),
    ],
    ['bedrock', awsError(403, 'AccessDeniedException', 'Bearer Token has expired')],
    ['bedrock', awsError(403, 'UnrecognizedClientException', 'The security token is invalid.')],
    ['vertex', googleError(401, 'UNAUTHENTICATED', 'invalid')],
  ] as const)('end it with advice, however few documents are left: %s %j', async (provider, answer) => {
    let count = 0
    const { env } = await startPlatform(provider, { answer: () => (count++ < 2 ? undefined : answer) })
    const cwd = await createFolder({ 'docs/a.md': 'Note a.', 'docs/b.md': 'Note b.', 'docs/c.md': 'Note c.' })
    const args = ['summarize', 'docs', '--provider', provider, '--concurrency', '1']
    const { code, stderr } = await runInProcess(args, { cwd, env, clockSpeed: 100 })
    expect([code, stderr]).toEqual([4, expect.stringContaining('2 summarized, 1 pending')])
    expect(stderr).toMatch(/renew|check the AWS credentials/)
  })
})

describe('an error that concerns one document', () => {
  it.each([
    ['bedrock', awsError(400, 'ValidationException', 'Input is too long for requested model.')],
    ['bedrock', awsError(400, 'ValidationException', 'messages: text content blocks must be non-empty')],
    ['vertex', googleError(400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.')],
    [
      'vertex',
      {
        status: 400,
        body: '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long"}}',
      },
    ],
    ['foundry', azureError(400, 'BadRequest', 'wrong')],
  ] as const)('fails that document, and the others are summarized: %s %j', async (provider, answer) => {
    const { env, requests } = await startPlatform(provider, {
      answer: ({ body }) => (body.includes('Note a.') ? answer : undefined),
    })
    const cwd = await createFolder(documents)
    const run = await runInProcess(['summarize', 'docs', '--provider', provider], {
      cwd,
      env,
      clockSpeed: 100,
    })
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('1 summarized, 1 failed')])
    expect(requests).toHaveLength(2)
  })
})

describe('a temporary error', () => {
  it.each([
    ['bedrock', awsError(429, 'ThrottlingException', 'Too many requests, please wait before trying again.')],
    ['bedrock', awsError(429, 'ModelNotReadyException', 'not ready')],
    ['bedrock', awsError(408, 'ModelTimeoutException', 'timeout')],
    ['bedrock', awsError(424, 'ModelErrorException', 'error')],
    ['bedrock', awsError(500, 'InternalServerException', 'internal')],
    ['bedrock', awsError(503, 'ServiceUnavailableException', 'unavailable')],
    [
      'vertex',
      googleError(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for online_prediction_requests_per_base_model'),
    ],
    ['vertex', googleError(499, 'CANCELLED', 'cancelled')],
    ['vertex', googleError(500, 'INTERNAL', 'internal')],
    ['vertex', googleError(503, 'UNAVAILABLE', 'unavailable')],
    ['vertex', googleError(504, 'DEADLINE_EXCEEDED', 'deadline')],
    ['foundry', azureError(429, 'RateLimitReached', 'Rate limit is exceeded. Please retry after 7 seconds.')],
    ['foundry', azureError(500, 'InternalServerError', 'internal')],
  ] as const)('is retried: %s %j', async (provider, answer) => {
    let count = 0
    const { env } = await startPlatform(provider, { answer: () => (count++ === 0 ? answer : undefined) })
    const cwd = await createFolder({ 'docs/a.md': 'Note a.' })
    const args = ['summarize', 'docs', '--provider', provider]
    const run = await runInProcess(args, { cwd, env, clockSpeed: 500, random: () => 0 })
    expect([run.code, run.stderr, count]).toEqual([0, expect.stringContaining('1 summarized'), 2])
  })
})

describe('a stream of Amazon Bedrock', () => {
  const start = {
    type: 'message_start',
    message: { type: 'message', model: 'claude-haiku-5-5', usage: { input_tokens: 9 } },
  }
  const delta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Half' } }
  const stop = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } }
  const chunks = [start, delta].map((event) => encodeChunk(JSON.stringify(event)))
  const end = [stop, { type: 'message_stop' }].map((event) => encodeChunk(JSON.stringify(event)))
  const corrupted = (chunk: Buffer) => {
    const copy = Buffer.from(chunk)
    copy[copy.length - 6] = (copy[copy.length - 6] ?? 0) ^ 1
    return copy
  }
  const run = async (body: Buffer) => {
    let count = 0
    const headers = { 'content-type': 'application/vnd.amazon.eventstream' }
    const { env } = await startPlatform('bedrock', {
      answer: () => (count++ === 0 ? { status: 200, headers, body } : undefined),
    })
    const cwd = await createFolder({ 'docs/a.md': 'Note a.' })
    const args = ['summarize', 'docs', '--provider', 'bedrock', '--max-tokens', '5000']
    const result = await runInProcess(args, { cwd, env, clockSpeed: 500, random: () => 0 })
    return { ...result, count }
  }

  it.each([
    ['a throttling', [...chunks, encodeException('throttlingException', 'Too many requests')]],
    ['an error of the model', [...chunks, encodeException('modelStreamErrorException', 'failed')]],
    ['an internal error', [...chunks, encodeException('internalServerException', 'failed')]],
    ['an unavailable service', [encodeException('serviceUnavailableException', 'unavailable')]],
    [
      'another unmodeled error',
      [
        encodeEvent(
          { ':message-type': 'error', ':error-code': 'InternalError', ':error-message': 'failed' },
          '',
        ),
      ],
    ],
    [
      'an unmodeled error',
      [
        ...chunks,
        encodeEvent(
          { ':message-type': 'error', ':error-code': 'InternalFailure', ':error-message': 'failed' },
          '',
        ),
      ],
    ],
    ['a chunk with a wrong checksum', [...chunks.slice(0, 1), ...chunks.slice(1).map(corrupted), ...end]],
    ['a chunk that is not JSON', [...chunks, encodeChunk('{"type":'), ...end]],
    ['its end before the message ended', chunks],
    ['half of a chunk', [Buffer.concat([...chunks, ...end]).subarray(0, -20)]],
    ['a second beginning of the message', [...chunks, ...chunks, ...end]],
  ])('is requested again after %s', async (_, parts) => {
    const { code, stderr, count } = await run(Buffer.concat(parts))
    expect([code, stderr, count]).toEqual([0, expect.stringContaining('1 summarized'), 2])
  })

  it('is complete with events of unknown types and frames that the platform adds', async () => {
    const extra = [
      '{"type":"ping"}',
      '{"type":"something_new"}',
      '{"amazon-bedrock-invocationMetrics":{}}',
    ].map(encodeChunk)
    const { code, count } = await run(Buffer.concat([...chunks, ...extra, ...end]))
    expect([code, count]).toEqual([0, 1])
  })

  it('fails only its document after an exception about it', async () => {
    const { code, stderr, count } = await run(encodeException('validationException', 'messages: wrong'))
    expect([code, stderr, count]).toEqual([
      1,
      expect.stringContaining('ValidationException: messages: wrong'),
      1,
    ])
  })
})

describe('advice about the address', () => {
  it.each([
    ['bedrock', 'ANTHROPIC_BEDROCK_BASE_URL', 'http://127.0.0.1:9', 75],
    ['vertex', 'ANTHROPIC_VERTEX_BASE_URL', 'http://127.0.0.1:9/v1', 75],
    ['foundry', 'ANTHROPIC_FOUNDRY_BASE_URL', 'http://127.0.0.1:9', 75],
    ['aws', 'ANTHROPIC_AWS_BASE_URL', 'http://127.0.0.1:9', 75],
  ] as const)('names the variable of the provider: %s', async (provider, variable, url, code) => {
    const { env } = await startPlatform(provider)
    const cwd = await createFolder(documents)
    const args = ['summarize', 'docs', '--provider', provider]
    const run = await runInProcess(args, { cwd, env: { ...env, [variable]: url }, clockSpeed: 100 })
    expect([run.code, run.stderr]).toEqual([code, expect.stringContaining(`check the network, ${variable}`)])
    expect(run.stderr).not.toContain('ANTHROPIC_BASE_URL')
  })

  it.each([
    [{ status: 302, body: '', headers: { location: 'https://example.com/' } }],
    [{ status: 200, body: '<html>Sign in</html>', headers: { 'content-type': 'text/html' } }],
    [{ status: 403, body: '<html>Blocked</html>', headers: { 'content-type': 'text/html' } }],
  ])('does so for pages of proxies too: %j', async (answer) => {
    const { env } = await startPlatform('bedrock', { answer: () => answer })
    const cwd = await createFolder(documents)
    const args = ['summarize', 'docs', '--provider', 'bedrock']
    const run = await runInProcess(args, { cwd, env, clockSpeed: 100 })
    expect(run.code).not.toBe(0)
    expect(run.stderr).not.toContain('ANTHROPIC_BASE_URL')
  })
})
