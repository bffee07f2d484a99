import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const docs = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`docs/${n}.md`, `The harbour of town ${n}.`]))

/** Starts a simulator that never answers plain requests, and counts plain and streamed ones. */
async function slowService() {
  const kinds: string[] = []
  const script = ({ request: { stream } }: { request: { stream: boolean } }): Behaviour => {
    kinds.push(stream ? 'stream' : 'plain')
    return stream ? { kind: 'answer', delayMs: 1 } : { kind: 'stall', afterHeaders: false }
  }
  const count = (kind: string) => kinds.filter((it) => it === kind).length
  return { ...(await startService({ script })), count }
}

describe('an API whose plain answers are slower than --idle-timeout', () => {
  it('gets streamed requests after the first one, and no answer is cut off twice', async () => {
    const { env, count } = await slowService()
    const cwd = await createFolder(docs(6))
    const args = ['summarize', 'docs', '--idle-timeout', '1', '--concurrency', '1']
    const { code, stderr } = await runInProcess(args, { cwd, env, random: () => 0 })
    expect([code, count('plain'), count('stream')]).toEqual([0, 1, 6])
    expect(stderr).toContain('1 response was lost in transit and may be billed too')
  })

  it('costs no more answers than were in flight when the first one was cut off', async () => {
    const { env, count } = await slowService()
    const cwd = await createFolder(docs(12))
    const args = ['summarize', 'docs', '--idle-timeout', '1', '--concurrency', '3']
    const { code } = await runInProcess(args, { cwd, env, random: () => 0 })
    expect([code, count('stream')]).toEqual([0, 12])
    expect(count('plain')).toBeLessThanOrEqual(3)
  })

  it('fails the document with a message that names the flag if retries are off', async () => {
    const { env } = await slowService()
    const cwd = await createFolder(docs(1))
    const args = ['summarize', 'docs', '--idle-timeout', '0.5', '--retries', '0']
    const { code, stderr } = await runInProcess(args, { cwd, env })
    expect(code).toBe(75)
    expect(stderr).toContain('received no data for 0.5 s; if replies take longer, raise --idle-timeout')
  })
})
