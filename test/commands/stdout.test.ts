import { describe, expect, it } from 'vitest'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const names = ['a', 'b', 'c']
const files = Object.fromEntries(names.map((name) => [`docs/${name}.md`, `Note ${name} on ferries.`]))

describe('-o -', () => {
  it('counts summaries that cannot be written to stdout as pending, and prints them to stderr', async () => {
    const cwd = await createFolder(files)
    // The first document finishes last, so the others wait for their turn.
    const { env } = await startService({
      script: ({ request }) => ({
        kind: 'answer',
        delayMs: request.text.includes('Note a') ? 150 : 1,
      }),
    })
    const { code, stderr } = await runInProcess(['summarize', 'docs', '-o', '-'], {
      cwd,
      env,
      stdoutError: 'ENOSPC',
    })
    expect(code).toBe(6)
    expect(stderr).toContain('documents  3: 0 summarized, 3 pending')
    for (const name of names) expect(stderr).toContain(`[simulated] Note ${name} on ferries.`)
  })

  it('uses live requests with --mode auto, because batches need an output folder', async () => {
    const cwd = await createFolder(files)
    const { env, simulator } = await startService({})
    const { code, stdout } = await runInProcess(['summarize', 'docs', '-o', '-', '--mode', 'auto'], {
      cwd,
      env,
    })
    expect(code).toBe(0)
    expect(stdout.match(/==> docs\/\w\.md <==/g)).toHaveLength(3)
    expect(simulator.stats().batchBilled.requests).toBe(0)
  })
})
