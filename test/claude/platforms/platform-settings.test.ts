import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadPlatformPackage } from '../../../src/claude/platforms/platform-package.ts'
import { awsKeys, startPlatform } from '../../support/platform-server.ts'
import { createFolder } from '../../support/run-cli.ts'
import { runInProcess } from '../../support/run-in-process.ts'

const platforms = ['bedrock', 'vertex', 'foundry', 'aws'] as const
const documents = { 'docs/a.md': 'Note a.', 'docs/b.md': 'Note b.' }

describe('a package that is not installed', () => {
  it.each([
    [
      '.npm/_npx/0123/node_modules/claude-batch/dist/cli.js',
      'run npx -p claude-batch -p @anthropic-ai/bedrock-sdk claude-batch …',
    ],
    ['lib/node_modules/claude-batch/dist/cli.js', 'run npm install -g @anthropic-ai/bedrock-sdk'],
    ['npm/node_modules/claude-batch/dist/cli.js', 'run npm install -g @anthropic-ai/bedrock-sdk'],
    ['my-project/node_modules/claude-batch/dist/cli.js', 'run npm install @anthropic-ai/bedrock-sdk'],
    ['clone/dist/cli.js', 'run npm install @anthropic-ai/bedrock-sdk in FOLDER/clone'],
  ])('is named with the command that installs it: claude-batch is %s', async (file, command) => {
    const folder = await createFolder({ [file]: '' })
    const load = () =>
      loadPlatformPackage('@anthropic-ai/bedrock-sdk', pathToFileURL(join(folder, file)).href)
    expect(load).toThrow(
      `this provider needs the package @anthropic-ai/bedrock-sdk, which is not installed next to claude-batch; ${command.replace('FOLDER', folder)}`,
    )
  })

  it('is found next to claude-batch, and not in the working directory', async () => {
    const name = 'example-sdk'
    const packageAt = async (parent: string) => {
      await mkdir(join(parent, 'node_modules', name), { recursive: true })
      await writeFile(
        join(parent, 'node_modules', name, 'index.js'),
        `exports.from = ${JSON.stringify(parent)}`,
      )
    }
    const folder = await createFolder({ 'node_modules/claude-batch/dist/cli.js': '', 'work/a.md': '' })
    const from = pathToFileURL(join(folder, 'node_modules/claude-batch/dist/cli.js')).href
    await packageAt(join(folder, 'work'))
    const previous = process.cwd()
    process.chdir(join(folder, 'work'))
    try {
      expect(() => loadPlatformPackage(name, from)).toThrow('not installed')
      await packageAt(folder)
      expect(loadPlatformPackage(name, from).exports).toEqual({ from: folder })
    } finally {
      process.chdir(previous)
    }
  })
})

describe('a missing or wrong setting', () => {
  const noProxy = { HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true' }
  it.each([
    ['bedrock', { AWS_BEARER_TOKEN_BEDROCK: 'k' }, 'no AWS region: set AWS_REGION'],
    ['bedrock', { ANTHROPIC_BEDROCK_BASE_URL: 'nowhere' }, 'ANTHROPIC_BEDROCK_BASE_URL is not a URL'],
    [
      'bedrock',
      { AWS_REGION: 'eu-west-1', AWS_BEARER_TOKEN_BEDROCK: '"k"' },
      'AWS_BEARER_TOKEN_BEDROCK has characters',
    ],
    [
      'bedrock',
      { ANTHROPIC_BEDROCK_BASE_URL: 'http://example.com', AWS_BEARER_TOKEN_BEDROCK: 'k' },
      'refusing to send a key over plain http to example.com',
    ],
    ['vertex', {}, 'no region of Vertex AI: set CLOUD_ML_REGION'],
    ['foundry', {}, 'no resource of Microsoft Foundry: set ANTHROPIC_FOUNDRY_RESOURCE'],
    [
      'foundry',
      { ANTHROPIC_FOUNDRY_RESOURCE: 'r', ANTHROPIC_FOUNDRY_BASE_URL: 'https://example.com' },
      'are both set; unset one of them',
    ],
    ['foundry', { ANTHROPIC_FOUNDRY_RESOURCE: 'r' }, 'set ANTHROPIC_FOUNDRY_API_KEY, or use a key command'],
    [
      'aws',
      { AWS_REGION: 'eu-west-1' },
      'no workspace of Claude Platform on AWS: set ANTHROPIC_AWS_WORKSPACE_ID',
    ],
  ])('of %s ends the run before it sends or writes anything: %j', async (provider, env, message) => {
    const cwd = await createFolder(documents)
    const run = await runInProcess(['summarize', 'docs', '--provider', provider], {
      cwd,
      env: { ...noProxy, ...env },
    })
    expect(run).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) })
    expect(run.stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it('is an unknown provider', async () => {
    const cwd = await createFolder(documents)
    expect(await runInProcess(['summarize', 'docs', '--provider', 'azure'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected anthropic, bedrock, vertex, foundry or aws, got "azure"'),
    })
  })

  it.each(['haiku', '=x', 'haiku=', 'haiku=a b'])('is a malformed id of a model: %s', async (value) => {
    const cwd = await createFolder(documents)
    expect(await runInProcess(['summarize', 'docs', '--model-id', value], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected a model and its id, like haiku=my-deployment'),
    })
  })
})

describe('what a provider lacks', () => {
  it.each(['bedrock', 'vertex', 'foundry'] as const)('ends the run if it is needed: %s', async (provider) => {
    const { env, requests } = await startPlatform(provider)
    const cwd = await createFolder(documents)
    for (const batch of [['--batch'], ['--mode', 'batch']])
      expect(
        await runInProcess(['summarize', 'docs', '--provider', provider, ...batch], { cwd, env }),
      ).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(
          / has no batches; remove --batch or --mode batch, or choose another --provider/,
        ),
      })
    expect(requests).toEqual([])
  })

  it.each(['bedrock', 'vertex', 'foundry'] as const)('is left out by --mode auto: %s', async (provider) => {
    const { env, simulator } = await startPlatform(provider)
    const many = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`docs/${index}.md`, `Note ${index}.`]),
    )
    const cwd = await createFolder(many)
    const run = await runInProcess(['summarize', 'docs', '--provider', provider, '--mode', 'auto'], {
      cwd,
      env,
    })
    expect(run).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^claude-batch: live: .* has no batches$/m),
    })
    expect(simulator.stats().batches.created).toBe(0)
  })

  it('is counting at Bedrock, which is not tried', async () => {
    const { env, requests } = await startPlatform('bedrock')
    const cwd = await createFolder(documents)
    const args = ['summarize', 'docs', '--provider', 'bedrock', '--dry-run', '--token-count', 'exact']
    expect(await runInProcess(args, { cwd, env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Amazon Bedrock cannot count tokens; use --token-count estimate'),
    })
    expect(requests).toEqual([])
  })

  it.each(['vertex', 'foundry', 'aws'] as const)('is not counting at %s', async (provider) => {
    const { env, simulator } = await startPlatform(provider)
    const cwd = await createFolder(documents)
    const args = ['summarize', 'docs', '--provider', provider, '--dry-run', '--token-count', 'exact']
    const run = await runInProcess(args, { cwd, env })
    expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('counted by the API') })
    expect(simulator.stats().billed.requests).toBe(0)
  })

  it.each([
    ['bedrock', true],
    ['vertex', true],
    ['foundry', true],
    ['aws', false],
  ] as const)(
    'is the header of rate limits, which the run says without --rpm: %s',
    async (provider, expected) => {
      const { env } = await startPlatform(provider)
      const run = async (...args: string[]) => {
        const cwd = await createFolder(documents)
        return (await runInProcess(['summarize', 'docs', '--provider', provider, ...args], { cwd, env }))
          .stderr
      }
      const note = 'does not send its rate limits; set --rpm'
      expect((await run()).includes(note)).toBe(expected)
      expect(await run('--rpm', '6000')).not.toContain(note)
    },
  )
})

describe('a key command', () => {
  it.each(platforms)('is used in place of the credentials of %s', async (provider) => {
    const { env, requests } = await startPlatform(provider, { bearer: 'key-of-the-command' })
    const {
      AWS_ACCESS_KEY_ID: _id,
      AWS_SECRET_ACCESS_KEY: _secret,
      ANTHROPIC_FOUNDRY_API_KEY: _key,
      ...rest
    } = env
    const cwd = await createFolder(documents)
    const args = ['--provider', provider, '--key-command', 'printf key-of-the-command']
    const run = await runInProcess(['summarize', 'docs', ...args], {
      cwd,
      env: { ...rest, PATH: process.env['PATH'] ?? '' },
    })
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('2 summarized')])
    for (const { headers } of requests) {
      expect(headers.authorization).toBe('Bearer key-of-the-command')
      expect(headers['x-api-key']).toBeUndefined()
    }
  })

  it.each([401, 403])(
    'runs again after a %i, because AWS answers so to a key that has expired',
    async (status) => {
      const { env, requests } = await startPlatform('bedrock', {
        bearer: 'key-2',
        answer: () => undefined,
      })
      const cwd = await createFolder({
        'docs/a.md': 'Note a.',
        'key.sh': 'echo >> runs; printf key-$(wc -l < runs)',
      })
      const args = ['--provider', 'bedrock', '--key-command', 'sh key.sh']
      const run = await runInProcess(['summarize', 'docs', ...args], {
        cwd,
        env: { ...env, PATH: process.env['PATH'] ?? '' },
      })
      expect([status, run.code, run.stderr]).toEqual([status, 0, expect.stringContaining('1 summarized')])
      expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer key-1', 'Bearer key-2'])
    },
  )
})

describe('the id of a model', () => {
  it.each([
    ['bedrock', 'haiku', '/model/global.anthropic.claude-haiku-5-5/invoke'],
    ['bedrock', 'eu.anthropic.claude-haiku-5-5', '/model/eu.anthropic.claude-haiku-5-5/invoke'],
    [
      'bedrock',
      'arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3',
      '/model/arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile%2Fa1b2c3/invoke',
    ],
    [
      'vertex',
      'claude-haiku-4-5',
      '/v1/projects/my-project/locations/europe-west1/publishers/anthropic/models/claude-haiku-4-5@20251001:rawPredict',
    ],
  ] as const)('at %s: %s', async (provider, model, url) => {
    const { env, requests } = await startPlatform(provider)
    const cwd = await createFolder({ 'docs/a.md': 'Note a.' })
    const args = ['summarize', 'docs', '--provider', provider, '--model', model, '--prices', `${model}=1/5`]
    expect(await runInProcess(args, { cwd, env })).toMatchObject({ code: 0 })
    expect(requests.map((request) => request.url)).toEqual([url])
  })

  it.each(platforms)(
    'comes from the command line, which overrides the configuration: %s',
    async (provider) => {
      const { env, requests } = await startPlatform(provider)
      const cwd = await createFolder({
        'docs/a.md': 'Note a.',
        'claude-batch.yaml': 'models:\n  haiku: id-of-the-file\n  sonnet: other\n',
      })
      const args = ['summarize', 'docs', '--provider', provider, '--model-id', 'haiku=id-of-the-flag']
      expect(await runInProcess(args, { cwd, env })).toMatchObject({ code: 0 })
      expect(requests.map(({ url, body }) => url + body).join('')).toContain('id-of-the-flag')
    },
  )

  it.each(['claude-haiku-5.5', 'claude-haiku-5-5', 'haiku', 'us.anthropic.claude-haiku-5-5'])(
    'is found for every spelling of the model: %s',
    async (name) => {
      const { env, requests } = await startPlatform('bedrock')
      const cwd = await createFolder({
        'docs/a.md': 'Note a.',
        'claude-batch.yaml': `models:\n  ${name}: eu.x\n`,
      })
      expect(await runInProcess(['summarize', 'docs', '--provider', 'bedrock'], { cwd, env })).toMatchObject({
        code: 0,
      })
      expect(requests.map(({ url }) => url)).toEqual(['/model/eu.x/invoke'])
    },
  )

  it('is refused for a model that does not exist but is similar to one that does', async () => {
    const cwd = await createFolder({
      'docs/a.md': 'Note a.',
      'claude-batch.yaml': 'models:\n  claude-haku-5-5: x\n',
    })
    expect(await runInProcess(['summarize', 'docs'], { cwd, env: {} })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('did you mean claude-haiku-5-5?'),
    })
  })

  it.each(platforms)(
    'comes from the table of the configuration, and the price stays that of the model: %s',
    async (provider) => {
      const id =
        provider === 'bedrock' ? 'arn:aws:bedrock:eu-central-1:1:inference-profile/x' : 'my-deployment'
      const { env, requests } = await startPlatform(provider)
      const cwd = await createFolder({
        'docs/a.md': 'Note a.',
        'claude-batch.yaml': `provider: ${provider}\nmodels:\n  haiku: ${id}\n`,
      })
      const run = await runInProcess(['summarize', 'docs', '--model', 'claude-haiku-5-5'], { cwd, env })
      expect([run.code, run.stderr]).toEqual([0, expect.stringMatching(/^cost +\$0\.0000\d+/m)])
      expect(run.stderr).not.toMatch(/^note/m)
      expect(requests.map(({ url, body }) => decodeURIComponent(url) + body).join('')).toContain(id)
    },
  )
})

describe('the settings hash', () => {
  it('contains the provider, and neither its region, its address nor the id of the model', async () => {
    const first = await startPlatform('foundry')
    const second = await startPlatform('foundry')
    const cwd = await createFolder(documents)
    const run = (args: readonly string[], { env }: { readonly env: Readonly<Record<string, string>> }) =>
      runInProcess(['summarize', 'docs', ...args], { cwd, env })
    expect(await run(['--provider', 'foundry'], first)).toMatchObject({ code: 0 })
    const again = ['--provider', 'foundry', '--model-id', 'haiku=other']
    expect(await run(again, second)).toMatchObject({ stderr: expect.stringContaining('2 unchanged') })
    expect(second.simulator.stats().requests).toBe(0)
    const elsewhere = await startPlatform('bedrock')
    expect(await run(['--provider', 'bedrock'], elsewhere)).toMatchObject({
      stderr: expect.stringContaining('kept 2 summaries made with other settings'),
    })
  })
})

describe('prices at a provider with its own', () => {
  it.each([
    ['bedrock', 'list price, Amazon Bedrock'],
    ['vertex', 'list price, Google Vertex AI'],
    ['foundry', 'list price, Microsoft Foundry'],
    ['aws', undefined],
  ] as const)('are marked as list prices, unless the user sets them: %s', async (provider, note) => {
    const { env } = await startPlatform(provider)
    const cwd = await createFolder(documents)
    const run = (...args: string[]) =>
      runInProcess(['summarize', 'docs', '--provider', provider, ...args], { cwd, env })
    const estimate = await run('--dry-run')
    expect(/^batch /m.test(estimate.stdout)).toBe(provider === 'aws')
    const { stderr } = await run('--report', 'report.md')
    if (note === undefined) {
      expect(estimate.stdout).toMatch(/, prices of 20/)
      expect(stderr).toMatch(/^cost +\$[\d.]+$/m)
    } else {
      expect(estimate.stdout).toMatch(
        new RegExp(`list prices of [\\d-]+, ${note.slice('list price, '.length)}$`, 'm'),
      )
      expect(stderr).toMatch(new RegExp(`^cost +\\$[\\d.]+ \\(${note}\\)$`, 'm'))
      const own = await run('--prices', 'haiku=1/5', '--redo', 'all')
      expect(own.stderr).toMatch(/^cost +\$[\d.]+$/m)
      const report = await runInProcess(['report', '--run', 'last', '--format', 'md'], { cwd, env })
      expect(report.stdout).toContain(`Costs at ${note.slice('list price, '.length)} are list prices`)
    }
  })

  it('goes with its own retirement dates, so that no date of Anthropic is announced', async () => {
    const args = ['summarize', 'docs', '--dry-run', '--model', 'claude-opus-4-5']
    for (const [provider, expected] of [
      ['bedrock', false],
      ['aws', true],
    ] as const) {
      const { env } = await startPlatform(provider)
      const cwd = await createFolder(documents)
      const { stderr } = await runInProcess([...args, '--provider', provider], { cwd, env })
      expect([provider, stderr.includes('retires on')]).toEqual([provider, expected])
    }
  })
})

describe('the secrets of a platform', () => {
  it.each(platforms)('appear in no output, even if the platform repeats them: %s', async (provider) => {
    const session = 'session/token+0123456789'
    const secret = awsKeys.secretAccessKey
    const { env } = await startPlatform(provider, {
      answer: ({ headers }) => ({
        status: 400,
        body: JSON.stringify({ message: `${JSON.stringify(headers)} ${secret} ${session}` }),
        headers: { 'x-amzn-errortype': 'ValidationException' },
      }),
    })
    const cwd = await createFolder({ 'docs/a.md': 'Note a.' })
    const args = ['summarize', 'docs', '--provider', provider, '--verbose', '--log', 'log.jsonl', '-o', 'out']
    const run = await runInProcess(args, { cwd, env: { ...env, AWS_SESSION_TOKEN: session } })
    expect(run.code).toBeOneOf([1, 4])
    const { filesBelow } = await import('../../faults/invariants.ts')
    const { readFile } = await import('node:fs/promises')
    const files = (await filesBelow(cwd)).filter((file) => !file.startsWith('docs/'))
    const texts = await Promise.all(files.map((file) => readFile(join(cwd, file), 'utf8')))
    const everything = [run.stdout, run.stderr, ...texts].join('\n')
    for (const text of [secret, session, 'foundry-key-0123456789', 'ya29.example-token'])
      expect(everything).not.toContain(text)
  })
})
