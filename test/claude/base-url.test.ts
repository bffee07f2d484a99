import { chmod } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readBaseUrl } from '../../src/claude/api-environment.ts'
import { normalizeBaseUrl } from '../../src/claude/base-url.ts'
import { createClient } from '../../src/library/create-client.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

/** Suffixes that users append to a base URL. */
const endings = ['/', '///', '/v1', '/v1/', '/v1//', '/v1/messages', '/v1/messages/', '//v1//']

describe('the base URL', () => {
  it.each([
    ['https://api.anthropic.com', ''],
    ['http://127.0.0.1:8080', ''],
    ['https://gateway.example', '/anthropic'],
    ['https://gateway.example', '/v1/account/anthropic'],
  ])('%s%s is normalized to the same URL with every known suffix', (origin, path) => {
    const base = origin + path
    for (const ending of ['', ...endings]) {
      expect(normalizeBaseUrl(base + ending)).toBe(base)
      const env = { ANTHROPIC_API_KEY: 'sk-ant-x', ANTHROPIC_BASE_URL: ` ${base}${ending} ` }
      expect(readBaseUrl(env, [], '--allow-http')).toBe(base)
    }
  })

  it('is normalized by the URL parser, except for the case of its path', () => {
    expect(normalizeBaseUrl('HTTPS://Gateway.Example:443/A/V1/v1')).toBe('https://gateway.example/A/V1')
  })

  it('does not change if it is normalized again', () => {
    const segments = fc.array(fc.constantFrom('v1', 'messages', 'a', ''), { maxLength: 4 })
    const ending = fc.constantFrom('x', 'x/v1', 'x/v1/messages')
    fc.assert(
      fc.property(segments, ending, (path, end) => {
        const once = normalizeBaseUrl(`https://a.example/${[...path, end].join('/')}`)
        expect(normalizeBaseUrl(once)).toBe(once)
      }),
    )
  })

  it.each(endings)('may end in %s for requests, token counts and batches', async (ending) => {
    const { env, simulator } = await startService({ batches: { durationMs: 0 } })
    const cwd = await createFolder({ 'docs/a.md': 'The harbour.' })
    const withEnding = { ...env, ANTHROPIC_BASE_URL: simulator.url + ending }
    const run = (variables: Record<string, string>, ...flags: string[]) =>
      runInProcess(['summarize', 'docs', '-q', ...flags], { cwd, env: variables })
    expect(await run(withEnding)).toMatchObject({ code: 0, stderr: '' })
    // A run with the other spelling finds the summary up to date and sends no request.
    const { requests } = simulator.stats()
    expect(await run(env)).toMatchObject({ code: 0, stderr: '' })
    expect(simulator.stats().requests).toBe(requests)
    expect((await run(withEnding, '--token-count', 'exact', '--dry-run', '-o', 'counted')).code).toBe(0)
    expect(await run(withEnding, '--batch', '-o', 'batched')).toMatchObject({ code: 0 })
  })

  it('is normalized if it comes from a profile', async () => {
    const { simulator } = await startService({})
    const cwd = await createFolder({
      'a.md': 'The harbour.',
      'anthropic/configs/default.json': JSON.stringify({
        base_url: `${simulator.url}/v1/`,
        authentication: { type: 'user_oauth', client_id: 'client' },
      }),
      'anthropic/credentials/default.json': JSON.stringify({
        type: 'oauth_token',
        access_token: 'token',
        expires_at: 9_999_999_999,
      }),
    })
    await chmod(`${cwd}/anthropic/credentials/default.json`, 0o600)
    const env = { ANTHROPIC_CONFIG_DIR: `${cwd}/anthropic` }
    expect(await runInProcess(['summarize', 'a.md', '-q'], { cwd, env })).toMatchObject({
      code: 0,
      stderr: '',
    })
  })

  it('is normalized in the library', async () => {
    const { env, simulator } = await startService({})
    const client = createClient({ env: { ...env, ANTHROPIC_BASE_URL: `${simulator.url}/v1` } })
    onTestFinished(() => client.close())
    expect((await client.complete('Hello.')).text).not.toBe('')
  })
})
