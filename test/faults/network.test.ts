import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import { byHand } from '../support/by-hand.ts'
import { folderWith } from '../support/run-cli.ts'
import { runHere } from '../support/run-here.ts'
import { sendAll } from './many-documents.ts'
import { withFaults } from './with-faults.ts'

const json = { 'content-type': 'application/json' }

describe('a network', () => {
  it('N02 that is down is asked by one probe at a time, not by every document', async () => {
    const gone = { kind: 'connection', type: 'connection_error', code: 'ENOTFOUND', message: '' } as const
    const { stopped, failed, starts } = await sendAll(1000, () => gone, 60_000)
    expect(stopped).toMatchObject({ exit: 'later' })
    expect(failed).toBe(0)
    expect(starts.length).toBeLessThan(8 + 20 + 60)
  })

  it('N16 that is down for half a minute costs time and no document', async () => {
    const gone = { kind: 'connection', type: 'connection_error', code: 'ENETUNREACH', message: '' } as const
    const { replies, failed, pauses } = await sendAll(400, (now) =>
      now > 1000 && now < 31_000 ? gone : undefined,
    )
    expect([replies, failed]).toEqual([400, 0])
    // None so long that it would be told: the end of it is not slept through.
    expect(Math.max(...pauses)).toBeLessThan(5000)
  })

  it('N18 is not trusted with a key in plain text', async () => {
    const cwd = await folderWith({ 'a.md': 'The harbour.' })
    const env = { ANTHROPIC_API_KEY: 'sk-ant-x', ANTHROPIC_BASE_URL: 'http://example.com' }
    const { code, stderr } = await runHere(['summarize', 'a.md'], { cwd, env })
    expect(code).toBe(2)
    expect(stderr).toMatch(/^claude-batch: refusing to send a key over plain http to example\.com;/)
  })

  it('N19 that brings 200 MB is not listened to that long', async () => {
    let sent = 0
    const flood = byHand(async (response) => {
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
