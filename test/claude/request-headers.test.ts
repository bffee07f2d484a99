// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is what the user writes
import { readFile, writeFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesBelow } from '../faults/invariants.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { startGateway } from '../support/start-gateway.ts'

/** Starts a gateway that records the headers of all requests. @param status its own answer to all of them */
async function startRecordingGateway(status?: number) {
  const seen: IncomingHttpHeaders[] = []
  const { env } = await startGateway(({ headers }) => {
    seen.push(headers)
    return status === undefined ? undefined : { status, body: `no access for ${headers['x-gateway-key']}` }
  })
  return { env, seen }
}

const key = { ANTHROPIC_API_KEY: 'sk-ant-test-0123456789' }
const documents = { 'docs/a.md': 'Note a.', 'docs/b.md': 'Note b.' }

describe('--headers', () => {
  it('adds headers to live requests, batches and checks, with values from the environment', async () => {
    const cwd = await createFolder(documents)
    const { env, seen } = await startRecordingGateway()
    const more = { ...env, ...key, GATEWAY_KEY: 'gateway-secret-1', TEAM: 'docs' }
    const headers = [
      ...['--headers', 'X-Gateway-Key=${GATEWAY_KEY}', '--headers', 'x-team=team ${TEAM}'],
      ...['--headers', 'anthropic-workspace-id=wrkspc_1'],
    ]
    for (const args of [['summarize', 'docs'], ['summarize', 'docs', '--batch', '-o', 'other'], ['doctor']])
      expect(await runInProcess([...args, ...headers], { cwd, env: more, clockSpeed: 500 })).toMatchObject({
        code: 0,
      })
    expect(seen.length).toBeGreaterThan(5)
    for (const sent of seen)
      expect(sent).toMatchObject({
        'x-gateway-key': 'gateway-secret-1',
        'x-team': 'team docs',
        'anthropic-workspace-id': 'wrkspc_1',
        authorization: 'Bearer sk-ant-test-0123456789',
      })
  })

  it('can be the only credential', async () => {
    const cwd = await createFolder(documents)
    const { env, seen } = await startRecordingGateway()
    const args = ['summarize', 'docs', '--headers', 'x-api-key=${FOUNDRY_KEY}']
    expect(await runInProcess(args, { cwd, env: { ...env, FOUNDRY_KEY: 'foundry-secret' } })).toMatchObject({
      code: 0,
    })
    expect(seen.map((sent) => sent['x-api-key'])).toEqual(['foundry-secret', 'foundry-secret'])
  })

  it('does not change what is up to date', async () => {
    const cwd = await createFolder(documents)
    const { env, seen } = await startRecordingGateway()
    await runInProcess(['summarize', 'docs'], { cwd, env: { ...env, ...key } })
    await runInProcess(['summarize', 'docs', '--headers', 'x-team=other'], { cwd, env: { ...env, ...key } })
    expect(seen).toHaveLength(2)
  })

  it('appear in no output and no file, even if the gateway repeats them', async () => {
    const cwd = await createFolder(documents)
    const { env } = await startRecordingGateway(403)
    const { code, stdout, stderr } = await runInProcess(
      ['summarize', 'docs', '--verbose', '--log', 'log.jsonl', '--headers', 'x-gateway-key=${GATEWAY_KEY}'],
      { cwd, env: { ...env, ...key, GATEWAY_KEY: 'gateway-secret-1' } },
    )
    const texts = await Promise.all((await filesBelow(cwd)).map((file) => readFile(join(cwd, file), 'utf8')))
    expect([code, stderr]).toEqual([4, expect.stringContaining('no access for [key]')])
    expect([stdout, stderr, ...texts].join('\n')).not.toContain('gateway-secret-1')
  })

  it('that are written out hide nothing in the name of the model, in costs and in messages', async () => {
    const cwd = await createFolder(documents)
    const { env } = await startGateway(({ headers }, body) =>
      body.includes('Note b.') ? { status: 400, body: `no route for ${headers['x-route']}` } : undefined,
    )
    const { stderr } = await runInProcess(
      ['summarize', 'docs', '--headers', 'x-provider=claude-haiku', '--headers', 'X-Route=central'],
      { cwd, env: { ...env, ...key } },
    )
    expect(stderr).toContain('no route for central')
    expect(stderr).toMatch(/^cost +\$0\.0\d+$/m)
    expect(stderr).not.toContain('[key]')
  })

  it('that are written out with a scheme of credentials appear in no output', async () => {
    const cwd = await createFolder(documents)
    const { env } = await startGateway(({ headers }) => ({
      status: 400,
      body: `no: ${headers['x-upstream']}`,
    }))
    const { stderr } = await runInProcess(
      ['summarize', 'docs', '--headers', 'x-upstream=Basic dXNlcjpodW50ZXIy'],
      { cwd, env: { ...env, ...key } },
    )
    expect(stderr).toContain('no: Basic [key]')
    expect(stderr).not.toContain('dXNlcjpodW50ZXIy')
  })

  it.each([
    [
      'x-team=${NO_SUCH_VARIABLE}',
      'x-team needs the environment variable NO_SUCH_VARIABLE, which is not set',
    ],
    ['Host=example.com', 'claude-batch sets Host itself; remove it'],
    ['content-length=1', 'claude-batch sets content-length itself; remove it'],
    ['x-team=a\nb', '"x-team" is not a header, or its value has a line break'],
    [
      'x-gateway-key=written-out',
      'x-gateway-key looks like a credential; put its value into an environment variable, for example KEY, and write x-gateway-key=${KEY}',
    ],
    ['Authorization=Bearer written-out', 'Authorization looks like a credential'],
    ['x team=a', '--headers: expected key=value'],
  ])('are exit 2 before any request for %j', async (header, message) => {
    const cwd = await createFolder(documents)
    const { env, seen } = await startRecordingGateway()
    const { code, stderr } = await runInProcess(['summarize', 'docs', '--headers', header], {
      cwd,
      env: { ...env, ...key },
    })
    expect([code, stderr, seen]).toEqual([2, expect.stringContaining(message), []])
  })

  it('are not needed with --simulate', async () => {
    const cwd = await createFolder(documents)
    const args = ['summarize', 'docs', '--simulate', '--headers', 'x-team=${NO_SUCH_VARIABLE}']
    expect(await runInProcess(args, { cwd, env: {} })).toMatchObject({ code: 0 })
  })

  it('count in a configuration file only if the user chose it', async () => {
    const cwd = await createFolder(documents)
    const { env, seen } = await startRecordingGateway()
    await writeFile(join(cwd, 'claude-batch.yaml'), 'headers:\n  x-team: docs\n')
    const run = (...flags: string[]) =>
      runInProcess(['summarize', 'docs', ...flags], { cwd, env: { ...env, ...key } })
    expect(await run()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('headers counts only in a file that you chose'),
    })
    expect(await run('--config', 'claude-batch.yaml')).toMatchObject({ code: 0 })
    expect(seen.map((sent) => sent['x-team'])).toEqual(['docs', 'docs'])
  })
})
