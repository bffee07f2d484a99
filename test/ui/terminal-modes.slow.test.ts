import { expect, it } from 'vitest'
import { createFolder, startService } from '../support/run-cli.ts'
import { runOnTerminal, whyTerminalUnavailable } from '../support/terminal.ts'

const why = whyTerminalUnavailable()

it.skipIf(why !== undefined)(
  'a run changes no mode of the terminal, which a kill would leave changed',
  async () => {
    const documents = Array.from({ length: 30 }, (_, n) => [`docs/${n}.md`, `Note ${n} about the ferry.`])
    const cwd = await createFolder(Object.fromEntries(documents))
    const { env } = await startService({ latency: { medianMs: 60 } })
    const { code, shown } = await runOnTerminal(['summarize', 'docs', '--concurrency', '4'], { cwd, env })
    expect(code).toBe(0)
    // The bar was drawn.
    expect(shown).toMatch(/\d[^\n]*30/)
    // Such as autowrap (?7) and the cursor (?25).
    expect(shown.match(/\u001b\[\?\d+[hl]/g)).toBeNull()
  },
)
