// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is what the user writes
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createLockOwner } from '../../src/storage/lock/lock-owner.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { startGateway } from '../support/start-gateway.ts'

const documents = { 'docs/a.md': 'Note a.', 'docs/b.md': 'Note b.' }

/** Starts a server that answers every request in the same way. */
async function startServer(status: number, body: string, headers: Record<string, string> = {}) {
  const { env } = await startGateway(() => ({ status, body, headers }))
  return { ...env, ANTHROPIC_API_KEY: 'sk-ant-test-0123456789' }
}

interface DoctorJson {
  readonly exit_code: number
  readonly checks: readonly {
    readonly name: string
    readonly status: string
    readonly found: string
    readonly advice: string | null
  }[]
}

async function runDoctor(cwd: string, env: Record<string, string>, ...flags: string[]) {
  const { code, stdout, stderr } = await runInProcess(['doctor', '--json', ...flags], { cwd, env })
  const json = JSON.parse(stdout) as DoctorJson
  expect([json.exit_code, stderr]).toEqual([code, ''])
  expect(stdout).not.toContain('0123456789')
  return {
    code,
    checks: json.checks,
    find: (name: string) => json.checks.filter((check) => check.name === name),
  }
}

describe('claude-batch doctor', () => {
  it('shows whether the programs of --convert exist, without their arguments', async () => {
    const cwd = await createFolder({ ...documents, 'tool.sh': '#!/bin/sh\n', 'folder/x': '' })
    await chmod(join(cwd, 'tool.sh'), 0o755)
    const commands = [
      'a=./tool.sh --key=argument {}',
      'b=no-such-program {}',
      `c="${process.execPath}" {}`,
      'd=./folder {}',
    ]
    const flags = commands.flatMap((command) => ['--convert', command])
    const { code, find } = await runDoctor(cwd, {}, '--simulate', ...flags)
    expect(code).toBe(0)
    expect(find('converters')).toEqual([
      {
        name: 'converters',
        status: 'warning',
        found: expect.stringMatching(/^\.a: \.\/tool\.sh, .*; not found: no-such-program, \.\/folder$/),
        advice: 'install them, or change --convert',
      },
    ])
    expect(find('converters')[0]?.found).not.toContain('argument')
  })

  it('checks a setup that works, for free, and writes nothing', async () => {
    const cwd = await createFolder({ ...documents, 'claude-batch.yaml': 'model: sonnet\n' })
    const { env, simulator } = await startService({})
    const { code, checks, find } = await runDoctor(cwd, env)
    expect([code, checks.filter(({ status }) => status !== 'ok')]).toEqual([0, []])
    expect(checks.map(({ name }) => name)).toEqual([
      ...['version', 'settings', 'prompt', 'prices', 'provider', 'proxy', 'credentials'],
      ...['api', 'limits', 'clock', 'output', 'disk'],
    ])
    expect(find('settings')[0]?.found).toMatch(/^1 from .*claude-batch\.yaml$/)
    expect(find('credentials')[0]?.found).toBe('ANTHROPIC_API_KEY')
    expect(find('api')[0]?.found).toContain('claude-sonnet-5-5 works')
    expect(simulator.stats().billed.inputTokens).toBe(0)
    expect(find('output')[0]?.found).toBe('summaries is new; the first run creates it')
    expect(await runInProcess(['summarize', 'docs'], { cwd, env })).toMatchObject({ code: 0 })
    expect((await runDoctor(cwd, env)).find('output')[0]?.found).toBe(
      'summaries has 2 summaries and 0 error records',
    )
  })

  it('prints a line for each check, and what to do under it', async () => {
    const cwd = await createFolder(documents)
    const { code, stdout, stderr } = await runInProcess(['doctor', 'docs', '--model', 'claude-sonnet-4-5'], {
      cwd,
      env: {},
    })
    expect([code, stderr]).toEqual([2, ''])
    expect(stdout).toMatch(/^ok {7}version {8}claude-batch \d+\.\d+\.\d+, Node\.js 22\.0\.0 on linux x64\n/)
    expect(stdout).toMatch(
      /\nwarning {2}prices {9}claude-sonnet-4-5 retire[sd] on 2026-11-30.*\n {24}→ use claude-sonnet-5-5 with --model\n/,
    )
    expect(stdout).toMatch(/\nERROR {4}credentials {4}no credentials found: set ANTHROPIC_API_KEY/)
  })

  const error = (type: string, message: string) => JSON.stringify({ type: 'error', error: { type, message } })

  it.each([
    [401, error('authentication_error', 'invalid x-api-key'), 4, 'check ANTHROPIC_API_KEY'],
    [403, error('permission_error', 'not allowed'), 4, 'this key may not use claude-haiku-5-5'],
    [404, error('not_found_error', 'model: claude-haiku-5-5'), 4, 'may not have a model'],
    [302, '', 4, 'check ANTHROPIC_BASE_URL'],
    [529, error('overloaded_error', 'Overloaded'), 75, 'try again later'],
    [200, '<html>Sign in</html>', 75, 'try again later'],
  ])('says what to do about %i %s', async (status, body, code, advice) => {
    const cwd = await createFolder(documents)
    const env = await startServer(status, body, status === 302 ? { location: 'https://example.com/' } : {})
    const result = await runDoctor(cwd, env)
    expect([result.code, result.find('api')]).toEqual([
      code,
      [expect.objectContaining({ status: 'error', advice: expect.stringContaining(advice) })],
    ])
  })

  it('says where the credentials come from, and never what they are', async () => {
    const cwd = await createFolder(documents)
    const { env } = await startService({})
    const both = await runDoctor(cwd, { ...env, ANTHROPIC_AUTH_TOKEN: 'token-0123456789' })
    expect(both.find('credentials')[0]?.found).toBe('ANTHROPIC_API_KEY; ANTHROPIC_AUTH_TOKEN is not used')
    const command = `"${process.execPath}" -p "'secret-0123456789'"`
    const printed = await runDoctor(cwd, env, '--key-command', command)
    expect(printed.find('credentials')[0]?.found).toBe(
      'what the key command prints; ANTHROPIC_API_KEY is not used',
    )
    const broken = await runDoctor(cwd, env, '--key-command', `"${process.execPath}" -e "process.exit(9)"`)
    expect([broken.code, broken.find('credentials')[0]]).toMatchObject([
      2,
      {
        status: 'error',
        found: 'the key command "node" failed with exit code 9',
        advice: expect.stringContaining('run it yourself'),
      },
    ])
  })

  it.each([
    [404, '{"detail":"Not Found"}'],
    [405, '{"detail":"Method Not Allowed"}'],
    [501, ''],
  ])(
    'does not take a server that cannot count tokens and answers %i for one that fails',
    async (status, body) => {
      const cwd = await createFolder(documents)
      const { code, find } = await runDoctor(cwd, await startServer(status, body))
      expect([code, find('api')]).toEqual([
        0,
        [
          {
            name: 'api',
            status: 'warning',
            found: expect.stringContaining(
              `answered ${status}: it cannot count tokens, or the address is wrong`,
            ),
            advice: expect.stringContaining('check ANTHROPIC_BASE_URL'),
          },
        ],
      ])
    },
  )

  it('names a header as the credential, if it is one', async () => {
    const cwd = await createFolder(documents)
    const { ANTHROPIC_BASE_URL } = await startServer(401, error('authentication_error', 'invalid'))
    const flags = ['--headers', 'X-API-Key=${FOUNDRY_KEY}']
    const { find } = await runDoctor(cwd, { ANTHROPIC_BASE_URL, FOUNDRY_KEY: 'foundry-0123456789' }, ...flags)
    expect(find('credentials')[0]?.found).toBe('the header x-api-key')
    expect(find('api')[0]).toMatchObject({ status: 'error', advice: 'check the header x-api-key' })
  })

  it('shows the proxy without its password, and the limits that the API names', async () => {
    const cwd = await createFolder(documents)
    const headers = {
      'anthropic-ratelimit-requests-limit': '4000',
      'anthropic-ratelimit-input-tokens-limit': '2000000',
    }
    const env = await startServer(200, '{"input_tokens": 3}', {
      ...headers,
      date: 'Thu, 26 Nov 2026 03:00:00 GMT',
    })
    const { find } = await runDoctor(cwd, env)
    expect(find('limits')[0]?.found).toBe(
      '4,000 requests, 2,000,000 input tokens per minute, for counting tokens of claude-haiku-5-5',
    )
    expect(find('clock')[0]).toMatchObject({ status: 'warning', advice: expect.stringContaining('NTP') })
    const proxied = {
      ANTHROPIC_API_KEY: 'sk-ant-test-0123456789',
      HTTPS_PROXY: 'http://user:0123456789@127.0.0.1:9',
    }
    expect((await runDoctor(cwd, proxied)).find('proxy')[0]?.found).toBe('127.0.0.1:9')
  })

  it('describes the output folder: its lock, damaged lines, batches and permissions', async () => {
    const cwd = await createFolder(documents)
    const { env } = await startService({ batches: { durationMs: 3_600_000 } })
    expect(await runInProcess(['summarize', 'docs', '--batch', '--detach'], { cwd, env })).toMatchObject({
      code: 0,
    })
    const owner = await createLockOwner(process.pid, '2026-11-22T10:00:00.000Z', 'n', {
      command: 'summarize',
      version: '1',
    })
    await writeFile(join(cwd, 'summaries/.claude-batch/lock'), JSON.stringify(owner))
    await writeFile(join(cwd, 'summaries/.claude-batch/ledger.jsonl'), '{"broken\n', { flag: 'a' })
    const { code, stdout } = await runInProcess(['doctor', '--json'], { cwd, env, isRunning: () => true })
    expect(code).toBe(0)
    const { checks } = JSON.parse(stdout) as DoctorJson
    const found = checks.filter(({ name }) => name === 'output')
    expect(found.map(({ found, advice }) => [found, advice])).toEqual([
      [expect.stringContaining(`process ${process.pid} on ${hostname()}`), expect.any(String)],
      [expect.stringContaining('1 line of its ledger is damaged'), expect.any(String)],
      ['1 batch not collected yet', 'claude-batch batches collect summaries'],
    ])
  })

  it.each(['program', 'program/summaries'])(
    'is an error if the output folder %s is in the place of a file',
    async (out) => {
      const cwd = await createFolder({ ...documents, program: '#!/bin/sh\n' })
      await chmod(join(cwd, 'program'), 0o755)
      const { env } = await startService({})
      const { code, find } = await runDoctor(cwd, env, '-o', out)
      expect([code, find('output')]).toMatchObject([
        2,
        [{ status: 'error', found: expect.stringContaining('program is a file') }],
      ])
      expect(await runInProcess(['summarize', 'docs', '-o', out], { cwd, env })).toMatchObject({ code })
    },
  )

  it.skipIf(process.getuid?.() === 0)('is an error if the output folder is not writable', async () => {
    const cwd = await createFolder(documents)
    await mkdir(join(cwd, 'closed'))
    await chmod(join(cwd, 'closed'), 0o555)
    const { env } = await startService({})
    const { code, find } = await runDoctor(cwd, env, '-o', 'closed/summaries')
    expect([code, find('output')[0]]).toMatchObject([
      6,
      { status: 'error', found: expect.stringContaining('not writable') },
    ])
  })

  it('is an error if a prompt cannot be used', async () => {
    const cwd = await createFolder(documents)
    const { env } = await startService({})
    const { code, find } = await runDoctor(cwd, env, '--prompt', 'no-such-prompt')
    expect([code, find('prompt')[0]]).toMatchObject([
      2,
      { status: 'error', found: expect.stringContaining('no-such-prompt') },
    ])
  })
})
