import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const prompts = `versions:
  v1:
    user_template: "Sum up {text} for {audience}"
  v2:
    user_template: "Shorten {text}"
`
const documents = Object.fromEntries(
  Array.from({ length: 40 }, (_, n) => [`docs/note-${n}.md`, `Note ${n} is about ferries.`]),
)

async function setting() {
  const cwd = await createFolder({ 'prompts/brief.yaml': prompts, ...documents })
  const { simulator, env } = await startService({ script: () => ({ kind: 'answer', delayMs: 1 }) })
  const run = async (prompt: string, ...more: string[]) => {
    const before = simulator.stats().requests
    const ended = await runInProcess(['summarize', 'docs', '--prompt', prompt, ...more], { cwd, env })
    return { ...ended, hits: simulator.stats().requests - before }
  }
  /** The prompt version of the latest summary of each document. */
  const versions = async () => {
    const lines = (await readFile(join(cwd, 'summaries/.claude-batch/ledger.jsonl'), 'utf8'))
      .trim()
      .split('\n')
    const made = lines.map((line) => JSON.parse(line)).filter(({ status }) => status === 'summarized')
    return new Map(made.map(({ path, prompt }) => [path as string, prompt as string]))
  }
  return { cwd, run, versions }
}

describe('a prompt with weighted versions', () => {
  it('uses the same version for a document in every run, even after the document was edited', async () => {
    const { cwd, run, versions } = await setting()
    const spec = 'brief@v1=50,v2=50'
    const first = await run(spec, '--var', 'audience=gulls')
    expect(first).toMatchObject({ code: 0, hits: 40 })
    expect(first.stderr).toMatch(/^prompt +brief@v1=50,brief@v2=50 \(requested, prompts\/brief.yaml\)/m)
    const before = await versions()
    expect(new Set(before.values())).toEqual(new Set(['brief@v1', 'brief@v2']))
    expect(await run(spec, '--var', 'audience=gulls')).toMatchObject({ code: 0, hits: 0 })
    for (const name of ['note-1', 'note-2', 'note-3'])
      await writeFile(join(cwd, `docs/${name}.md`), `Something else altogether, for ${name}.`)
    expect(await run(spec, '--var', 'audience=gulls')).toMatchObject({ code: 0, hits: 3 })
    expect(await versions()).toEqual(before)
  })

  it('summarizes only documents whose version changes again if the weights change', async () => {
    const { run, versions } = await setting()
    await run('brief@v1=80,v2=20', '--var', 'audience=gulls')
    const before = await versions()
    const moved = [...before.values()].filter((prompt) => prompt === 'brief@v1').length
    expect(await run('brief@v2', '--redo', 'settings')).toMatchObject({ code: 0, hits: moved })
    expect(new Set((await versions()).values())).toEqual(new Set(['brief@v2']))
  })

  it.each([
    ['brief@v1=90,v3=10', /brief.yaml has no version v3/],
    ['brief@v1=90,v1=10', /brief@v1 occurs twice/],
    ['brief@v1=90,v2', /expected versions with weights/],
    ['brief@v1=0,v2=10', /expected versions with weights/],
    ['brief@v1=', /expected versions with weights/],
    ['brief@v1=50,summarize@v1=50', /--var other/],
  ])('is rejected before any request if it is invalid: %s', async (spec, message) => {
    const { run } = await setting()
    const vars = ['--var', 'audience=gulls', '--var', 'other=x'].slice(
      0,
      message.source.includes('var') ? 4 : 2,
    )
    const { code, stderr, hits } = await run(spec, ...vars)
    expect([code, hits]).toEqual([2, 0])
    expect(stderr).toMatch(message)
  })
})
