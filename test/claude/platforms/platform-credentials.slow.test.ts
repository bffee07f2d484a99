import { chmod } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { awsKeys, startPlatform } from '../../support/platform-server.ts'
import { createFolder, runCli } from '../../support/run-cli.ts'

const documents = Object.fromEntries(
  Array.from({ length: 12 }, (_, index) => [`docs/${index}.md`, `Note ${index}.`]),
)

/** Starts a server that issues temporary keys of AWS, as a container agent does. */
async function startCredentialServer(respond: (count: number) => { status: number; body: object }) {
  let count = 0
  const server = createServer((_, response) => {
    const { status, body } = respond(++count)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void server.close())
  return {
    env: {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    },
    count: () => count,
  }
}

const keys = (expiresInMs: number) => ({
  status: 200,
  body: {
    AccessKeyId: awsKeys.accessKeyId,
    SecretAccessKey: awsKeys.secretAccessKey,
    Token: 'session-token',
    Expiration: new Date(Date.now() + expiresInMs).toISOString(),
  },
})

/** Only what the credential chain needs. */
const noOtherCredentials = { HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true' }

/** Removes the keys of the environment. */
function withoutKeys({
  AWS_ACCESS_KEY_ID: _id,
  AWS_SECRET_ACCESS_KEY: _secret,
  ...rest
}: Readonly<Record<string, string>>): Record<string, string> {
  return { ...rest, ...noOtherCredentials }
}

describe('the credentials of AWS', () => {
  it.each(['bedrock', 'aws'] as const)(
    'come from the agent of a container, which is asked once for all requests: %s',
    async (provider) => {
      const { env, requests } = await startPlatform(provider)
      const agent = await startCredentialServer(() => keys(3_600_000))
      const cwd = await createFolder(documents)
      const run = await runCli(['summarize', 'docs', '--provider', provider], {
        cwd,
        env: { ...withoutKeys(env), ...agent.env },
      })
      expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('12 summarized')])
      expect(requests.every(({ headers }) => headers['x-amz-security-token'] === 'session-token')).toBe(true)
      expect(agent.count()).toBe(1)
    },
  )

  it.skipIf(process.getuid?.() !== 0)(
    'come from the agent of a container for a user without a home and without an entry in /etc/passwd',
    async () => {
      const { env } = await startPlatform('bedrock')
      const agent = await startCredentialServer(() => keys(3_600_000))
      const { HOME: _, ...homeless } = withoutKeys(env)
      const cwd = await createFolder(documents)
      await chmod(cwd, 0o777)
      const launcher = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups']
      const run = await runCli(['summarize', 'docs', '--provider', 'bedrock'], {
        cwd,
        env: { ...homeless, ...agent.env },
        launcher,
      })
      expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('12 summarized')])
    },
  )

  it('come from a profile, together with the region', async () => {
    const { env, requests } = await startPlatform('bedrock')
    const { AWS_REGION: region, ...rest } = withoutKeys(env)
    const cwd = await createFolder({
      ...documents,
      'home/.aws/config': `[profile work]\nregion = ${region}\n`,
      'home/.aws/credentials': `[work]\naws_access_key_id = ${awsKeys.accessKeyId}\naws_secret_access_key = ${awsKeys.secretAccessKey}\n`,
    })
    for (const provider of ['bedrock', 'bedrock']) {
      const run = await runCli(['summarize', 'docs', '--provider', provider], {
        cwd,
        env: { ...rest, HOME: `${cwd}/home`, AWS_PROFILE: 'work' },
      })
      expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('prompt')])
    }
    expect(requests).toHaveLength(12)
  })

  it('come from the profile for Claude Platform on AWS too, with a separate address', async () => {
    const { env, requests } = await startPlatform('aws')
    const { AWS_REGION: region, ...rest } = withoutKeys(env)
    const cwd = await createFolder({
      ...documents,
      'home/.aws/config': `[profile work]\nregion = ${region}\naws_access_key_id = ${awsKeys.accessKeyId}\naws_secret_access_key = ${awsKeys.secretAccessKey}\n`,
    })
    const run = await runCli(['summarize', 'docs', '--provider', 'aws'], {
      cwd,
      env: { ...rest, HOME: `${cwd}/home`, AWS_PROFILE: 'work' },
    })
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('12 summarized')])
    expect(requests).toHaveLength(12)
  })

  describe('from a role', () => {
    /** Runs with a profile whose role is assumed at a server of this machine. */
    const assumeRole = async (
      respond: (url: string) => { readonly status: number; readonly body: string },
      proxy = false,
    ) => {
      const { env } = await startPlatform('bedrock')
      const seen: string[] = []
      const server = createServer((request, response) => {
        seen.push(request.url ?? '')
        const { status, body } = respond(request.url ?? '')
        response.writeHead(status, { 'content-type': 'text/xml' }).end(body)
      })
      // As a proxy, it connects every name to itself.
      server.on('connect', ({ url: target = '' }, socket) => {
        seen.push(target)
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        server.emit('connection', socket)
      })
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
      onTestFinished(() => void server.close())
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const cwd = await createFolder({
        ...documents,
        'home/.aws/config':
          '[profile work]\nregion = eu-central-1\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n',
        'home/.aws/credentials': '[base]\naws_access_key_id = base\naws_secret_access_key = base-secret\n',
      })
      const run = await runCli(['summarize', 'docs', '--provider', 'bedrock'], {
        cwd,
        env: {
          ...withoutKeys(env),
          HOME: `${cwd}/home`,
          AWS_PROFILE: 'work',
          ...(proxy
            ? { HTTP_PROXY: url, AWS_ENDPOINT_URL_STS: 'http://sts.example.com', NO_PROXY: '127.0.0.1' }
            : { AWS_ENDPOINT_URL_STS: url }),
        },
      })
      return { ...run, seen }
    }
    const assumedRole = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
      <AccessKeyId>${awsKeys.accessKeyId}</AccessKeyId><SecretAccessKey>${awsKeys.secretAccessKey}</SecretAccessKey>
      <SessionToken>session-token</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration>
      </Credentials></AssumeRoleResult></AssumeRoleResponse>`

    it('are asked for once', async () => {
      const { code, stderr, seen } = await assumeRole(() => ({ status: 200, body: assumedRole }))
      expect([code, stderr]).toEqual([0, expect.stringContaining('12 summarized')])
      expect(seen).toHaveLength(1)
    })

    it('are asked for through the proxy of the environment', async () => {
      const { code, stderr, seen } = await assumeRole(() => ({ status: 200, body: assumedRole }), true)
      expect([code, stderr]).toEqual([0, expect.stringContaining('12 summarized')])
      expect(seen).toEqual(['sts.example.com:80', '/'])
    })

    it.each([
      [500, 'InternalFailure', 75],
      [503, 'ServiceUnavailable', 75],
      [400, 'Throttling', 75],
      [403, 'AccessDenied', 2],
    ])('end the run with the right exit code after a %i %s', async (status, name, code) => {
      const body = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${name}</Code><Message>not now</Message></Error></ErrorResponse>`
      const run = await assumeRole(() => ({ status, body }))
      expect([run.code, run.stderr]).toEqual([
        code,
        expect.stringContaining('the AWS credentials of the profile "work" cannot be used: not now'),
      ])
    })
  })

  it('that the agent of a container does not issue end the run with 75', async () => {
    const { env } = await startPlatform('bedrock')
    const agent = await startCredentialServer(() => ({ status: 500, body: {} }))
    const cwd = await createFolder(documents)
    const run = await runCli(['summarize', 'docs', '--provider', 'bedrock'], {
      cwd,
      env: { ...withoutKeys(env), ...agent.env },
    })
    expect(run).toMatchObject({ code: 75, stderr: expect.stringContaining('the agent of the container') })
  })

  it('that are missing end the run with exit code 2 before it writes anything', async () => {
    const { env, requests } = await startPlatform('bedrock')
    const cwd = await createFolder(documents)
    const run = await runCli(['summarize', 'docs', '--provider', 'bedrock'], { cwd, env: withoutKeys(env) })
    expect(run).toMatchObject({
      code: 2,
      stderr:
        'claude-batch: the AWS credentials cannot be used: Could not load credentials from any providers; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run aws sso login\n',
    })
    expect(requests).toEqual([])
  })

  it('that cannot be renewed in the middle of a run end it, and what was done stays', async () => {
    const { env } = await startPlatform('bedrock')
    // The first keys expire immediately.
    const agent = await startCredentialServer((count) =>
      count < 4 ? keys(1) : { status: 403, body: { code: 'AccessDenied', message: 'no more keys' } },
    )
    const cwd = await createFolder(documents)
    const run = await runCli(['summarize', 'docs', '--provider', 'bedrock', '--concurrency', '1'], {
      cwd,
      env: { ...withoutKeys(env), ...agent.env },
    })
    expect(run.code).toBe(4)
    expect(run.stderr).toContain('the AWS credentials cannot be used')
    expect(run.stderr).toMatch(/12: [1-9]\d* summarized, \d+ pending/)
  })
})

describe('the credentials of Google', () => {
  it('come from the metadata server of the machine', async () => {
    const { env, requests } = await startPlatform('vertex')
    const cwd = await createFolder(documents)
    const run = await runCli(['summarize', 'docs', '--provider', 'vertex'], {
      cwd,
      env: { ...env, HOME: '/nonexistent' },
    })
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('12 summarized')])
    expect(requests).toHaveLength(12)
  })

  it('that are missing end the run with exit code 2', async () => {
    const { env, requests } = await startPlatform('vertex')
    const cwd = await createFolder(documents)
    const { GCE_METADATA_HOST: _, ...rest } = env
    const run = await runCli(['summarize', 'docs', '--provider', 'vertex'], {
      cwd,
      env: { ...rest, HOME: '/nonexistent', METADATA_SERVER_DETECTION: 'none' },
    })
    expect(run).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^claude-batch: the Google credentials cannot be used: Could not load the default credentials.*; run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS\n$/,
      ),
    })
    expect(requests).toEqual([])
  })

  it('that the metadata server refuses end the run, and may work later', async () => {
    const { env } = await startPlatform('vertex')
    const cwd = await createFolder(documents)
    const run = await runCli(['summarize', 'docs', '--provider', 'vertex'], {
      cwd,
      // Nothing listens on this port.
      env: { ...env, HOME: '/nonexistent', GCE_METADATA_HOST: '127.0.0.1:9' },
    })
    expect(run).toMatchObject({
      code: 75,
      stderr: expect.stringContaining('the Google credentials cannot be used'),
    })
  })
})
