import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { faulty } from '../../faults/invariants.ts'
import type { FaultPlan } from '../../support/fault-fs.mjs'
import {
  createEntry,
  createRun,
  readDocuments,
  readFolder,
  runMerge,
  writeOutputFolder,
} from '../../support/merged-folders.ts'
import { createFolder, runCli } from '../../support/run-cli.ts'

const changing = 'write|writeFile|sync|rename|unlink|link|mkdir|open'

/** Creates two shards, and a target that has an earlier result of one, an edited summary and another text. */
async function createShards() {
  const cwd = await createFolder({})
  const [first, firstEnd] = createRun('first', 0)
  const before = ['a', 'b', 'c'].map((name) => createEntry(`${name}.md`, `First ${name}.\n`, 100))
  const files = Object.fromEntries(
    ['a', 'b', 'c'].map((name) => [`${name}.md.summary.md`, `First ${name}.\n`]),
  )
  await writeOutputFolder(join(cwd, 'part1'), [first, ...before, firstEnd], files)
  await runMerge(cwd, 'part1', '-o', 'target')
  await writeFile(join(cwd, 'target/b.md.summary.md'), 'Mine.\n')
  const [second, secondEnd] = createRun('second', 10_000)
  const after = ['a', 'b'].map((name) => createEntry(`${name}.md`, `Second ${name}.\n`, 11_000))
  await writeOutputFolder(join(cwd, 'part1'), [first, ...before, firstEnd, second, ...after, secondEnd], {
    ...files,
    'a.md.summary.md': 'Second a.\n',
    'b.md.summary.md': 'Second b.\n',
  })
  const [other, otherEnd] = createRun('other', 20_000)
  await writeOutputFolder(join(cwd, 'part2'), [other, createEntry('c.md', 'Other c.\n', 21_000), otherEnd], {
    'c.md.summary.md': 'Other c.\n',
    '.claude-batch/chunk-cache.jsonl':
      '{"type":"chunk","request_hash":"h","path":"c.md","text":"Note.","model":"m"}\n',
  })
  return cwd
}

const ledger = '.claude-batch/ledger.jsonl'
const chunks = '.claude-batch/chunk-cache.jsonl'
const merge = ['merge', 'part1', 'part2', '-o', 'target']

describe('a merge that is killed', () => {
  it('at any file operation has lost nothing, and the next merge finishes it', async () => {
    const cwd = await createShards()
    await cp(join(cwd, 'target'), join(cwd, 'original'), { recursive: true, preserveTimestamps: true })
    const original = await readFolder(join(cwd, 'original'))
    await cp(join(cwd, 'original'), join(cwd, 'reference'), { recursive: true, preserveTimestamps: true })
    expect((await runMerge(cwd, 'part1', 'part2', '-o', 'reference')).code).toBe(0)
    const expected = await readFolder(join(cwd, 'reference'))
    expect(Object.values(expected)).toEqual(
      expect.arrayContaining(['Second a.\n', 'Mine.\n', 'Second b.\n', 'Other c.\n', 'First c.\n']),
    )
    const documents = await readDocuments(join(cwd, 'reference'))

    const kill = async (at: number): Promise<boolean> => {
      const home = await createFolder({})
      for (const name of ['part1', 'part2'])
        await cp(join(cwd, name), join(home, name), { recursive: true, preserveTimestamps: true })
      const target = join(home, 'target')
      await cp(join(cwd, 'original'), target, { recursive: true, preserveTimestamps: true })
      const plan: FaultPlan = { do: 'kill', short: true, at, op: changing, path: `^${target}` }
      const killed = await runCli(merge, { cwd: home, env: faulty(plan) })
      const half = await readFolder(target)
      // The ledger is the old one or the new one. Each text of the user and each other text is still somewhere.
      const isOld = half[ledger] === original[ledger]
      if (!isOld) expect(await readDocuments(target), `killed at ${at}`).toEqual(documents)
      const texts = [half, await readFolder(join(home, 'part1'))].flatMap(Object.values)
      expect(texts, `killed at ${at}`).toEqual(
        expect.arrayContaining(['Mine.\n', 'First c.\n', 'Second a.\n']),
      )

      const again = await runMerge(home, 'part1', 'part2', '-o', 'target')
      expect([at, again.code]).toEqual([at, 0])
      const { [ledger]: _, [chunks]: notes = '', ...files } = await readFolder(target)
      const { [ledger]: __, [chunks]: expectedNotes = '', ...expectedFiles } = expected
      // A line that was cut off is ignored, and written again.
      expect(notes.endsWith(expectedNotes), `killed at ${at}`).toBe(true)
      const kept = Object.entries(files).filter(([name]) => !/lock-\w+\.tmp$/.test(name))
      expect(Object.fromEntries(kept), `killed at ${at}`).toEqual(expectedFiles)
      expect(await readDocuments(target), `killed at ${at}`).toEqual(documents)
      return killed.signal === 'SIGKILL'
    }
    let last = 1
    while (await kill(last)) last++
    expect(last).toBeGreaterThan(20)
  })
})
