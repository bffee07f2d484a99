import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runInProcess } from '../support/run-in-process.ts'
import { docs, sentence } from './invariants.ts'
import { batchCase, losePower, seedsFrom } from './lose-power.ts'

const names = [...'abcdef']
const some = { files: docs(names), args: [], concurrency: 2, names }

describe('a power loss', () => {
  it('P27 loses no summary that was saved (many moments)', async () => {
    await losePower(some, seedsFrom(1000, 250))
  })

  it('P27 leaves the old or the new summary of a document that changed, and no outdated error record', async () => {
    const refused = { kind: 'answer', delayMs: 1, text: 'Older.', stopReason: 'refusal' } as const
    const old = (name: string) => `Before. ${sentence(name)} ${sentence(name)}\n`
    await losePower(
      {
        ...some,
        files: Object.fromEntries(names.map((name) => [`docs/${name}.md`, old(name)])),
        // In the earlier run, the API refuses one document.
        behaviour: (name, time) =>
          time > 1
            ? { kind: 'answer', delayMs: 1 }
            : name === 'c'
              ? refused
              : { ...refused, stopReason: 'end_turn' },
        async prepare(cwd, env) {
          expect(await runInProcess(['summarize', 'docs'], { cwd, env })).toMatchObject({ code: 1 })
          for (const [path, text] of Object.entries(docs(names))) await writeFile(join(cwd, path), text)
        },
      },
      seedsFrom(2000, 200),
    )
  })

  it('P27 loses no batch, and pays for no request of one again', async () => {
    await losePower(batchCase, seedsFrom(6000, 200))
  })

  it('P27 loses no reply about a chunk of a long document', async () => {
    const chapter = (name: string) => `# Chapter ${name}\n\n${`${sentence(name)} `.repeat(25)}\n\n`
    const text = names.map(chapter).join('')
    await losePower(
      {
        ...some,
        files: { 'docs/book.md': text, 'docs/note.md': `${sentence('note')}\n` },
        args: ['--chunk-tokens', '1600'],
        names: [...names, 'note'],
        documents: ['book', 'note'],
        expectSummary: (_, text) => expect(text).toMatch(/^\[simulated\] .*\n$/s),
      },
      seedsFrom(4000, 100),
    )
  })
})
