import { describe, expect, it } from 'vitest'
import { createExportedFolder } from '../../support/exported-folder.ts'
import { bin, runCli } from '../../support/run-cli.ts'
import { runShell } from '../../support/run-shell.ts'

describe('an export to stdout', () => {
  it('fails if stdout is closed', async () => {
    const { cwd } = await createExportedFolder({ 'a.md': 'A.' })
    const { code, stderr } = await runCli(['export'], { cwd, launcher: ['sh', '-c', 'exec "$@" >&-', 'sh'] })
    expect([code, stderr]).toEqual([
      6,
      'claude-batch: stdout is closed, so the summaries cannot be written\n',
    ])
  })

  it('ends silently with 141 if its reader has read enough', async () => {
    const summaries = Array.from({ length: 300 }, (_, n) => [`${n}.md`, `Summary ${n}. `.repeat(100)])
    const { cwd } = await createExportedFolder(Object.fromEntries(summaries))
    const command = `node '${bin}' export | head -n 1 | cut -c 1-30`
    expect(await runShell(command, { cwd, env: {} })).toEqual({
      code: 141,
      stdout: '{"format_version":2,"path":"0.\n',
      stderr: '',
    })
  })
})
