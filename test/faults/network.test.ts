import { chmod, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import { respondWith } from '../support/manual-response.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { filesBelow } from './invariants.ts'
import { sendAll } from './many-documents.ts'
import { withFaults } from './with-faults.ts'

const json = { 'content-type': 'application/json' }

describe('a network', () => {
  it('N02 an outage is probed by one request at a time, not by every document', async () => {
    const gone = { kind: 'connection', type: 'connection_error', code: 'ENOTFOUND', message: '' } as const
    const { stopped, failed, starts, seconds } = await sendAll(1000, () => gone)
    expect(stopped).toMatchObject({ name: 'UnreachableError' })
    expect(failed).toBe(0)
    // The requests that were sent before the first error, and three retries of one of them.
    expect(starts.length).toBeLessThanOrEqual(8 + 3)
    expect(seconds).toBeLessThan(5)
  })

  it('N16 an outage of half a minute costs time and no document', async () => {
    const gone = { kind: 'connection', type: 'connection_error', code: 'ENETUNREACH', message: '' } as const
    const { replies, failed, pauses } = await sendAll(400, (now) =>
      now > 1000 && now < 31_000 ? gone : undefined,
    )
    expect([replies, failed]).toEqual([400, 0])
    // Each pause is too short to be reported, so the run goes on soon after the outage.
    expect(Math.max(...pauses)).toBeLessThan(5000)
  })

  describe('plain http', () => {
    const key = { ANTHROPIC_API_KEY: 'sk-ant-x' }
    const refusal = (host: string) =>
      new RegExp(
        `^claude-batch: refusing to send a key over plain http to ${host};.* --allow-http ${host}\n$`,
      )

    it.each([
      ['summarize', 'a.md'],
      ['summarize', 'a.md', '--dry-run'],
      ['summarize', 'a.md', '--dry-run', '--token-count', 'exact'],
      ['summarize', 'a.md', '--batch', '--allow-http', 'other.example'],
      ['compare', 'a.md'],
      ['serve'],
    ])('N18 a key is not sent over plain http by %s %s %s', async (...args) => {
      const cwd = await createFolder({ 'a.md': 'The harbour.' })
      for (const host of ['localhost.evil.example', '10.evil.example', '127.0.0.1.nip.io', 'gateway']) {
        const env = { ...key, ANTHROPIC_BASE_URL: `http://${host}` }
        const { code, stdout, stderr } = await runInProcess(args, { cwd, env })
        expect([code, stdout]).toEqual([2, ''])
        expect(stderr).toMatch(refusal(host))
      }
      expect(await readdir(cwd)).toEqual(['a.md'])
    })

    it('N18 the token of a profile is not sent over plain http either', async () => {
      const profile = { base_url: 'http://evil.example', authentication: { type: 'user_oauth' } }
      const token = { type: 'oauth_token', access_token: 'secret-token', expires_at: 9_999_999_999 }
      const cwd = await createFolder({
        'a.md': 'The harbour.',
        'anthropic/configs/default.json': JSON.stringify(profile),
        'anthropic/credentials/default.json': JSON.stringify(token),
      })
      await chmod(join(cwd, 'anthropic/credentials/default.json'), 0o600)
      const env = { ANTHROPIC_CONFIG_DIR: join(cwd, 'anthropic') }
      const { code, stderr } = await runInProcess(['summarize', 'a.md', '--dry-run'], { cwd, env })
      expect(code).toBe(2)
      expect(stderr).toMatch(refusal('evil.example'))
    })

    it('N18 a key for a private address is not sent through a proxy over plain http', async () => {
      const cwd = await createFolder({ 'a.md': 'The harbour.' })
      const env = {
        ...key,
        ANTHROPIC_BASE_URL: 'http://10.0.0.1:1',
        HTTP_PROXY: 'http://user:hunter2@proxy.example:3128',
      }
      const { code, stderr } = await runInProcess(['summarize', 'a.md'], { cwd, env })
      expect(code).toBe(2)
      expect(stderr).toMatch(/through the proxy proxy\.example:3128;.* add 10\.0\.0\.1 to NO_PROXY/)
      expect(stderr).not.toContain('hunter2')
    })

    it('N18 an allowed host is used, and the password in its URL is neither sent nor shown', async () => {
      const cwd = await createFolder({ 'a.md': 'The harbour.' })
      const { env, simulator } = await startService({})
      const url = simulator.url.replace('http://', 'http://user:hunter2@')
      const { code, stdout, stderr } = await runInProcess(['summarize', 'a.md', '--report', 'r.json'], {
        cwd,
        env: { ...env, ANTHROPIC_BASE_URL: url },
      })
      expect([code, simulator.stats().requests]).toEqual([0, 1])
      const files = await filesBelow(cwd)
      const texts = await Promise.all(files.map((file) => readFile(join(cwd, file), 'utf8')))
      expect(stdout + stderr + texts.join('')).not.toContain('hunter2')
    })
  })

  it('N19 a reply of 200 MB is cut off and fails the document', async () => {
    let sent = 0
    const flood = respondWith(async (response) => {
      response.writeHead(200, json)
      const chunks = function* () {
        for (; sent < 200; sent++) yield Buffer.alloc(1_000_000, ' ')
      }
      await pipeline(chunks, response).catch(() => {})
    })
    const [seen] = await withFaults({ rows: { N19: [flood] } })
    expect(seen?.code).toBe(1)
    expect(seen?.fates['N19']?.sent).toHaveLength(1)
    expect(seen?.fates['N19']?.record).toMatch(/^ERROR: malformed reply_too_large: /)
    expect(sent).toBeLessThan(50)
  })
})
