import { describe, expect, it } from 'vitest'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const names = ['a', 'b', 'c']
const files = Object.fromEntries(names.map((name) => [`docs/${name}.md`, `Note ${name} on ferries.`]))

describe('-o -', () => {
  it('counts a summary that stdout did not take as not done and shows it, also one that waited for its turn', async () => {
    const cwd = await createFolder(files)
    // The first document is finished last.
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

  it('goes live with --mode auto, since stdout remembers no batches', async () => {
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
