import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { createLockOwner } from '../../src/storage/lock/lock-owner.ts'
import { examplesFolder, noLinters } from '../support/examples.ts'
import { checkManifests } from '../support/kubernetes.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { addCommands, runShell } from '../support/run-shell.ts'

const page = readFileSync(join(examplesFolder, '../docs/many-machines.md'), 'utf8')
const [, text = ''] = /```yaml\n(.*?)```/s.exec(page) ?? []
const job = parse(text)

describe('the Indexed Job of docs/many-machines.md', () => {
  it.skipIf(noLinters)('has the fields that Kubernetes knows, with the right types', async () => {
    expect(await checkManifests([job])).toMatchObject({ code: 0, stdout: '' })
    const misspelt = JSON.parse(JSON.stringify(job).replace('completionMode', 'completionsMode'))
    expect((await checkManifests([misspelt])).stdout).toContain('completionsMode')
  })

  it('has a command that lets its tasks summarize each document once', async () => {
    const [{ command }] = job.spec.template.spec.containers
    const { completions } = job.spec
    const paths = Array.from({ length: 40 }, (_, n) => `docs/${n}.md`)
    const cwd = await createFolder(Object.fromEntries(paths.map((path) => [path, `Note in ${path}.`])))
    await addCommands(cwd)
    const { env, simulator } = await startService({ latency: { medianMs: 1, sigma: 0 } })
    const script: string = command[2].replaceAll('/data', cwd)
    const runTask = (task: number, failures: number) =>
      runShell(script, {
        cwd,
        env: { ...env, JOB_COMPLETION_INDEX: String(task), FAILURES: String(failures) },
        shell: ['sh'],
      })
    for (let task = 0; task < completions; task++)
      expect(await runTask(task, 0)).toMatchObject({ code: 0, stderr: '' })

    // Another pod has another host name.
    const owner = { ...(await createLockOwner(1, new Date().toISOString(), 'abc')), host: 'summaries-2-x7k' }
    await writeFile(join(cwd, 'parts/2/.claude-batch/lock'), JSON.stringify(owner))
    expect(await runTask(2, 0)).toMatchObject({ code: 7 })
    expect(await runTask(2, 1)).toMatchObject({ code: 0 })
    expect(simulator.stats().requests).toBe(40)
    expect(completions).toBe(Number(/auto\/(\d+)/.exec(script)?.[1]))
  })
})
