import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

/** Two working directories with the same document path, their parent folder, and one output folder. */
async function setting() {
  const top = await createFolder({
    'desk/docs/a.md': '# Desk\n\nThe lamp on the desk is green.\n',
    'shed/docs/a.md': '# Shed\n\nThe saw in the shed is rusty.\n',
  })
  const { simulator, env } = await startService({ script: () => ({ kind: 'answer', delayMs: 1 }) })
  const out = join(top, 'out')
  const run = async (cwd: string, ...args: string[]) => {
    const before = simulator.stats().requests
    const ended = await runInProcess(['summarize', ...args, '--out', out], { cwd: join(top, cwd), env })
    return { ...ended, hits: simulator.stats().requests - before }
  }
  return { top, out, run }
}

describe('an output folder shared by several working directories', () => {
  it('has a summary for each of two documents with the same relative path, each paid for once', async () => {
    const { out, run } = await setting()
    for (const cwd of ['desk', 'shed']) expect(await run(cwd, 'docs')).toMatchObject({ code: 0, hits: 1 })
    for (const cwd of ['desk', 'shed', 'desk'])
      expect(await run(cwd, 'docs')).toMatchObject({ code: 0, hits: 0 })
    const files = await readdir(join(out, 'docs'))
    const texts = await Promise.all(files.map((file) => readFile(join(out, 'docs', file), 'utf8')))
    expect(texts.filter((text) => text.includes('lamp'))).toHaveLength(1)
    expect(texts.filter((text) => text.includes('saw'))).toHaveLength(1)
  })

  it('gets the journaled summary of a killed run even if the ledger has no entry of that run', async () => {
    const { run, out } = await setting()
    for (const cwd of ['desk', 'shed']) await run(cwd, 'docs')
    // The state after a kill between the journal entry of the first document and the ledger entry of the run.
    const ledger = join(out, '.claude-batch/ledger.jsonl')
    const lines = (await readFile(ledger, 'utf8')).trimEnd().split('\n')
    const [shed = '', line = ''] = lines.slice(3)
    const { output, ...unwritten } = JSON.parse(line)
    const text = await readFile(join(out, output.path), 'utf8')
    const entry = { entry: unwritten, path: output.path, text, run: JSON.parse(shed) }
    await writeFile(ledger, `${lines.slice(0, 3).join('\n')}\n`)
    await writeFile(join(out, '.claude-batch/journal.jsonl'), `${JSON.stringify(entry)}\n`)
    await rm(join(out, output.path))
    for (const cwd of ['desk', 'shed']) expect(await run(cwd, 'docs')).toMatchObject({ code: 0, hits: 0 })
    expect(await readFile(join(out, output.path), 'utf8')).toBe(text)
  })

  it('recognizes a document from any working directory', async () => {
    const { run, top } = await setting()
    expect(await run('', 'desk/docs', 'shed/docs')).toMatchObject({ code: 0, hits: 2 })
    expect(await run('desk', 'docs')).toMatchObject({ code: 0, hits: 0 })
    expect(await run('shed', join(top, 'desk/docs'), 'docs')).toMatchObject({ code: 0, hits: 0 })
    expect(await run('shed', 'docs', '--redo', 'all')).toMatchObject({ code: 0, hits: 1 })
    expect(await run('', '.')).toMatchObject({ code: 0, hits: 0 })
  })
})
