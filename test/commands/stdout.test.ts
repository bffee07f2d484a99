import { describe, expect, it } from 'vitest'
import { folderWith, serviceFor } from '../support/run-cli.ts'
import { runHere } from '../support/run-here.ts'

const names = ['a', 'b', 'c']
const files = Object.fromEntries(names.map((name) => [`docs/${name}.md`, `Note ${name} on ferries.`]))

describe('-o -', () => {
  it('counts a summary that stdout did not take as not done and shows it, also one that waited for its turn', async () => {
    const cwd = await folderWith(files)
    // The first document is finished last.
    const { env } = await serviceFor({
      script: ({ request }) => ({
        kind: 'answer',
        delayMs: request.text.includes('Note a') ? 150 : 1,
      }),
    })
    const { code, stderr } = await runHere(['summarize', 'docs', '-o', '-'], { cwd, env, refuses: 'ENOSPC' })
    expect(code).toBe(6)
    expect(stderr).toContain('documents  3: 0 summarized, 3 not done')
    for (const name of names) expect(stderr).toContain(`[simulated] Note ${name} on ferries.`)
  })

  it('goes live with --mode auto, since stdout remembers no batches', async () => {
    const cwd = await folderWith(files)
    const { env, simulator } = await serviceFor({})
    const { code, stdout } = await runHere(['summarize', 'docs', '-o', '-', '--mode', 'auto'], { cwd, env })
    expect(code).toBe(0)
    expect(stdout.match(/==> docs\/\w\.md <==/g)).toHaveLength(3)
    expect(simulator.stats().batchBilled.requests).toBe(0)
  })
})
