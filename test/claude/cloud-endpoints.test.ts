// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is what the user writes
import { chmod, readFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { resolveModelAlias } from '../../src/core/pricing/models.ts'
import { toProviderModelId } from '../../src/core/request/provider-model-id.ts'
import { apiProviders, providerTraits } from '../../src/core/request/providers.ts'
import { splitCommandLine } from '../../src/core/text/split-command-line.ts'
import { startPlatform } from '../support/platform-server.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { startGateway } from '../support/start-gateway.ts'

const page = await readFile(resolve(import.meta.dirname, '../../docs/providers.md'), 'utf8')

/** Returns the settings and variables of the block of a section of docs/providers.md that contains a text. */
function readBlock(heading: string, text = 'ANTHROPIC_BASE_URL') {
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? expect.fail(heading)
  const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block)
  const shell = blocks.find((block) => block.includes(text)) ?? expect.fail(`${heading}: ${text}`)
  const variables = [...shell.matchAll(/^export (\w+)=(\S+)/gm)].map(
    ([, name = '', value = '']) => [name, value.replace('…', 'the-key')] as const,
  )
  const [, command = ''] = /^claude-batch (summarize .*)$/m.exec(shell) ?? []
  return { variables: new Map(variables), args: splitCommandLine(command) ?? [] }
}

/** Runs the command of a section against a server of this machine, which answers with these fields. */
async function runBlock(heading: string, fields: object) {
  const { variables, args } = readBlock(heading)
  const seen: {
    readonly url: string | undefined
    readonly headers: IncomingHttpHeaders
    readonly model: string
  }[] = []
  const { env } = await startGateway(({ url, headers }, body) => {
    seen.push({ url, headers, model: (JSON.parse(body) as { model: string }).model })
    const content = [{ type: 'text', text: 'A summary.' }]
    const message = { type: 'message', role: 'assistant', content, stop_reason: 'end_turn', ...fields }
    return { status: 200, body: JSON.stringify(message) }
  })
  const base = new URL(variables.get('ANTHROPIC_BASE_URL') ?? '')
  const local = new URL(base.pathname, env.ANTHROPIC_BASE_URL).href
  const cwd = await createFolder({ 'docs/a.md': 'Note a.' })
  const result = await runInProcess(args, {
    cwd,
    env: { ...Object.fromEntries(variables), ANTHROPIC_BASE_URL: local },
  })
  expect([result.code, result.stderr]).toEqual([0, expect.stringContaining('1 summarized')])
  return { stderr: result.stderr, seen, path: `${base.pathname.replace(/\/$/, '')}/v1/messages` }
}

describe('the commands of docs/providers.md', () => {
  it.each([
    [
      'Amazon Bedrock',
      '/anthropic/v1/messages',
      { authorization: 'Bearer the-key' },
      'anthropic.claude-haiku-5-5',
    ],
    [
      'Claude Platform on AWS',
      '/v1/messages',
      { authorization: 'Bearer the-key', 'anthropic-workspace-id': 'wrkspc_01ABC' },
      'claude-haiku-5-5',
    ],
    ['Microsoft Foundry', '/anthropic/v1/messages', { 'x-api-key': 'the-key' }, 'claude-haiku-5-5'],
  ])(
    'reach %s at the right path, with its credentials and its name of the model',
    async (heading, path, headers, model) => {
      const usage = { input_tokens: 1_000_000, output_tokens: 0 }
      const { seen, stderr } = await runBlock(heading, { model, usage })
      expect(seen).toEqual([{ url: path, headers: expect.objectContaining(headers), model }])
      // The list price of Haiku 5.5 with a prompt above 100,000 tokens.
      expect(stderr).toMatch(/cost +\$0\.50\n/)
    },
  )
})

describe('the commands of docs/providers.md with --provider', () => {
  const program = (name: string) => `#!/bin/sh\nprintf %s token-of-${name}\n`

  it.each([
    ['Amazon Bedrock', 'bedrock', '--provider bedrock'],
    ['Google Vertex AI', 'vertex', '--provider vertex'],
    ['Microsoft Foundry', 'foundry', '--provider foundry --rpm'],
    ['Microsoft Foundry', 'foundry', '--key-command'],
    ['Claude Platform on AWS', 'aws', '--provider aws'],
  ] as const)('reach %s: %s, %s', async (heading, platform, text) => {
    const { variables, args } = readBlock(heading, text)
    const { ANTHROPIC_FOUNDRY_RESOURCE: _, ...documented } = Object.fromEntries(variables)
    const bearer = variables.get('ANTHROPIC_AWS_API_KEY') ?? 'token-of-az'
    const { env, requests } = await startPlatform(platform, { bearer, key: 'the-key' })
    const cwd = await createFolder({ 'docs/a.md': 'Note a.', 'bin/az': program('az') })
    await chmod(join(cwd, 'bin/az'), 0o755)
    const PATH = `${cwd}/bin:${process.env['PATH']}`
    const result = await runInProcess(args, { cwd, env: { ...env, ...documented, PATH } })
    expect([result.code, result.stderr]).toEqual([0, expect.stringContaining('1 summarized')])
    expect(requests).toHaveLength(1)
  })

  it('has a configuration that keeps the price of a model with another id', async () => {
    const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []
    const { env, requests } = await startPlatform('bedrock')
    const cwd = await createFolder({ 'docs/a.md': 'Note a.', 'claude-batch.yaml': yaml })
    const { code, stderr } = await runInProcess(['summarize', 'docs'], { cwd, env })
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^cost +\$0\.0000/m)])
    expect(requests.map(({ url }) => url)).toEqual([expect.stringContaining('application-inference-profile')])
  })
})

describe('the table of docs/providers.md', () => {
  it('has the traits and the ids of every provider', () => {
    const row = (name: string) =>
      (page.split('\n').find((line) => line.startsWith(`| ${name} |`)) ?? '')
        .split('|')
        .slice(2, -1)
        .map((cell) => cell.trim())
    const traits = apiProviders.map((name) => providerTraits[name])
    const has = (key: 'hasBatches' | 'countsTokens') => traits.map((found) => (found[key] ? 'yes' : 'no'))
    expect(row('`--provider`')).toEqual(apiProviders.map((name) => `\`${name}\``))
    expect(row('`--batch`')).toEqual(has('hasBatches'))
    expect(row('`--token-count exact`')).toEqual(has('countsTokens'))
    expect(row('rate limits are learned from headers')).toEqual(
      traits.map(({ sendsRateLimits }) => (sendsRateLimits ? 'yes' : 'no: set `--rpm`')),
    )
    expect(row('prices')).toEqual(
      traits.map(({ hasOwnTerms }) => (hasOwnTerms ? 'list prices, a guess' : 'list prices')),
    )
    expect(row('`haiku` is sent as')).toEqual(
      apiProviders.map((name) => `\`${toProviderModelId(name, resolveModelAlias('haiku'))}\``),
    )
  })
})

describe('the message about missing credentials', () => {
  it.each([
    ['CLAUDE_CODE_USE_BEDROCK', 'Amazon Bedrock', 'bedrock'],
    ['CLAUDE_CODE_USE_VERTEX', 'Google Vertex AI', 'vertex'],
    ['CLAUDE_CODE_USE_FOUNDRY', 'Microsoft Foundry', 'foundry'],
  ])('names the page about %s', async (variable, name, provider) => {
    const cwd = await createFolder({ 'docs/a.md': 'Note a.' })
    const run = (value: string) => runInProcess(['summarize', 'docs'], { cwd, env: { [variable]: value } })
    expect(await run('1')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        `${variable} is set, which is for Claude Code: for ${name}, use --provider ${provider} (see docs/providers.md)`,
      ),
    })
    expect((await run('0')).stderr).not.toContain('Claude Code')
  })
})

describe('the gateways and local models of docs/providers.md', () => {
  it.each([
    ['LiteLLM', 'Bearer the-key', 'claude-haiku-5-5'],
    ['OpenRouter', 'Bearer the-key', 'anthropic/claude-haiku-5.5'],
    ['Ollama', 'Bearer ollama', 'qwen3-coder'],
    ['llama.cpp', 'Bearer none', 'local-model'],
    ['vLLM', 'Bearer none', 'qwen3'],
  ])(
    'are reached by the commands for %s, without usage, price and headers too',
    async (heading, authorization, model) => {
      const { seen, path } = await runBlock(heading, { model: 'other' })
      expect(seen).toEqual([{ url: path, headers: expect.objectContaining({ authorization }), model }])
    },
  )

  it('end a batch with exit code 4 if they have none', async () => {
    const urls: (string | undefined)[] = []
    const { env } = await startGateway(({ url }) => {
      urls.push(url)
      return url === '/v1/messages' ? undefined : { status: 404, body: '{"detail":"Not Found"}' }
    })
    const cwd = await createFolder({ 'docs/a.md': 'Note a.', 'docs/b.md': 'Note b.', 'docs/c.md': 'Note c.' })
    const args = ['summarize', 'docs', '--batch']
    const { code, stderr } = await runInProcess(args, {
      cwd,
      env: { ...env, ANTHROPIC_AUTH_TOKEN: 'the-key' },
    })
    expect([code, stderr]).toEqual([4, expect.stringContaining('check ANTHROPIC_BASE_URL')])
    // One live request tests the settings before the batch.
    expect(urls.filter((url) => url === '/v1/messages')).toHaveLength(1)
  })
})
