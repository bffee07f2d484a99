// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is what the user writes
import { readFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { startGateway } from '../support/start-gateway.ts'

const page = await readFile(resolve(import.meta.dirname, '../../docs/providers.md'), 'utf8')

/** Returns the settings and variables of a section of docs/providers.md. */
function readBlock(heading: string) {
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? expect.fail(heading)
  const [, shell = ''] = /```sh\n([\s\S]*?)```/.exec(section) ?? []
  const variables = [...shell.matchAll(/^export (\w+)=(\S+)/gm)].map(
    ([, name = '', value = '']) => [name, value.replace('…', 'the-key')] as const,
  )
  const [, command = ''] = /^claude-batch (summarize .*)$/m.exec(shell) ?? []
  return {
    variables: new Map(variables),
    args: command.split(' ').map((word) => word.replace(/^'(.*)'$/, '$1')),
  }
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
