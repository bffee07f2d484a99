import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { longWait } from '../support/long-wait.ts'
import { bin, createFolder, startCli, startService } from '../support/run-cli.ts'
import { createHeldAnswer, end, overloaded, textDelta } from '../support/stream-events.ts'
import { runOnTerminal, whyTerminalUnavailable } from '../support/terminal.ts'

const documents = { 'long.md': 'A long text about ferries.', 'other.md': 'Another.' }

/** An API whose first reply the test sends piece by piece; it sends the other replies immediately. */
async function held() {
  const answer = createHeldAnswer()
  const service = await startService({
    script: ({ index }) =>
      index === 0 ? answer.behaviour : { kind: 'answer', delayMs: 1, text: 'Whole at last.' },
  })
  return { ...service, answer, cwd: await createFolder(documents) }
}

/** Starts a run, and collects its output while it runs. */
async function started(args: readonly string[], at: Awaited<ReturnType<typeof held>>, input?: string) {
  const options = { cwd: at.cwd, env: at.env, ...(input !== undefined && { input }) }
  const { child, ended } = await startCli(args, options, () => at.simulator.stats().requests > 0)
  let out = ''
  child.stdout?.on('data', (chunk) => {
    out += String(chunk)
  })
  return { child, ended, shows: (text: string) => vi.waitFor(() => expect(out).toBe(text), longWait) }
}

describe('a single summary on stdout', () => {
  it.each([
    ['from stdin', ['summarize', '-'], 'A long text'],
    ['of a file', ['summarize', 'long.md', '-o', '-'], undefined],
  ])('%s is streamed to a pipe', async (_, args, input) => {
    const at = await held()
    const { shows, ended } = await started(args, at, input)
    await at.answer.send(textDelta('Ferries'))
    await shows('Ferries')
    await at.answer.send(textDelta(' sail.\n\n'))
    await shows('Ferries sail.')
    await at.answer.send(end)
    expect(await ended).toMatchObject({ code: 0, stdout: 'Ferries sail.\n' })
    expect((await ended).stderr).toMatch(/^time to first token {1}\d+/m)
  })

  it('is not retried after its first text: stdout gets the partial text and an ERROR: line', async () => {
    const at = await held()
    const { shows, ended } = await started(['summarize', '-'], at, 'A long text')
    await at.answer.send(textDelta('Ferries'))
    await shows('Ferries')
    await at.answer.send(overloaded)
    expect(await ended).toMatchObject({
      code: 75,
      stdout: expect.stringMatching(/^Ferries\nERROR: stream overloaded_error: Overloaded\n$/),
    })
    expect(at.simulator.stats().requests).toBe(1)
  })

  it('is retried after an error before its first text', async () => {
    const at = await held()
    const { ended } = await started(['summarize', '-'], at, 'A long text')
    await at.answer.send(overloaded)
    expect(await ended).toMatchObject({ code: 0, stdout: 'Whole at last.\n' })
  })

  it('is written to a file only when it is complete, and is retried after an error', async () => {
    const { cwd, env, answer } = await held()
    const file = await open(join(cwd, 'out.txt'), 'w')
    const child = spawn(process.execPath, [bin, 'summarize', 'long.md', '-o', '-', '--max-tokens', '4096'], {
      cwd,
      env,
      stdio: ['ignore', file.fd, 'ignore'],
    })
    await answer.send(textDelta('Ferries') + overloaded)
    expect(await once(child, 'close')).toEqual([0, null])
    await file.close()
    expect(await readFile(join(cwd, 'out.txt'), 'utf8')).toBe('Whole at last.\n')
  })

  it('is aborted as soon as its reader closes the pipe', async () => {
    const at = await held()
    const { child, shows, ended } = await started(['summarize', '-'], at, 'A long text')
    await at.answer.send(textDelta('Ferries'))
    await shows('Ferries')
    child.stdout?.destroy()
    await at.answer.send(textDelta(' sail.'))
    await at.answer.clientClosed
    expect(await ended).toMatchObject({ code: 141 })
  })

  it('is not streamed if there are several documents, which are printed complete and in order', async () => {
    const at = await held()
    const { ended } = await started(
      ['summarize', 'long.md', 'other.md', '-o', '-', '--max-tokens', '4096'],
      at,
    )
    await at.answer.send(textDelta('Ferries') + overloaded)
    expect(await ended).toMatchObject({
      code: 0,
      stdout: '==> long.md <==\nWhole at last.\n\n==> other.md <==\nWhole at last.\n',
    })
  })

  it.skipIf(whyTerminalUnavailable())(
    'is printed to a terminal without control characters or a progress bar',
    async () => {
      const { env, cwd, answer } = await held()
      const run = runOnTerminal(['summarize', 'long.md', '-o', '-'], { cwd, env })
      await answer.send(textDelta('Ferries\u001b]0;own'))
      await answer.send(textDelta('ed\u0007 sail.') + end)
      const { code, shown } = await run
      expect([code, shown.split('\r\n')[0]]).toEqual([0, 'Ferries\\x1b]0;owned\\x07 sail.'])
    },
  )
})
