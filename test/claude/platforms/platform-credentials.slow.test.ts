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

  it('that are missing end the run with exit code 2 before it writes anything', async () => {
    const { env, requests } = await startPlatform('bedrock')
    const cwd = await createFolder(documents)
    const run = await runCli(['summarize', 'docs', '--provider', 'bedrock'], { cwd, env: withoutKeys(env) })
    expect(run).toMatchObject({
      code: 2,
      stderr:
        'claude-batch: the AWS credentials cannot be used: Could not load credentials from any providers; set AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run aws sso login\n',
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
