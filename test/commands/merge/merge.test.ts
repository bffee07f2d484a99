import { appendFile, cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createLockOwner } from '../../../src/storage/lock/lock-owner.ts'
import { runEnd } from '../../support/ledger-entries.ts'
import {
  createEntry,
  createRun,
  readFolder,
  runMerge,
  writeOutputFolder,
} from '../../support/merged-folders.ts'
import { createFolder, startService } from '../../support/run-cli.ts'
import { runInProcess } from '../../support/run-in-process.ts'

/** Creates twelve documents, and a function that runs the program. */
async function createDocuments() {
  const files = Object.fromEntries(
    Array.from({ length: 12 }, (_, n) => [`docs/${n}.md`, `Note ${n} on ferries and slipways.`]),
  )
  const cwd = await createFolder(files)
  const { env, simulator } = await startService({})
  return { cwd, env, simulator, run: (...args: string[]) => runInProcess(args, { cwd, env }) }
}

/** Summarizes twelve documents in three shards. */
async function createShards() {
  const context = await createDocuments()
  for (const index of [1, 2, 3])
    await context.run('summarize', 'docs', '-o', `part${index}`, '--shard', `${index}/3`, '-q')
  return context
}

describe('merged shards', () => {
  it('are one folder for summarize, report, export, digests and caps, and every reply counts once', async () => {
    const { cwd, run, simulator } = await createShards()
    const { requests, billed } = simulator.stats()
    expect(await run('merge', 'part1', 'part2', 'part3', '-o', 'all')).toMatchObject({
      code: 0,
      stderr: 'claude-batch: merged 3 folders into all: 12 files written\n',
    })
    expect(await readFolder(join(cwd, 'all'))).not.toHaveProperty('.claude-batch/shard.json')
    expect((await run('summarize', 'docs', '-o', 'all')).stderr).toContain('12 unchanged')
    expect((await run('summarize', 'docs', '-o', 'all', '--dry-run')).stdout).toContain('12 unchanged')
    expect(simulator.stats().requests).toBe(requests)

    const [merged, separate] = await Promise.all([
      run('report', 'all', '--format', 'json'),
      run('report', 'part1', '--merge', 'part2', '--merge', 'part3', '--format', 'json'),
    ])
    const report = JSON.parse(merged.stdout)
    expect(report.totals).toMatchObject({
      summarized: 12,
      input_tokens: billed.inputTokens,
      output_tokens: billed.outputTokens,
    })
    for (const part of ['totals', 'documents', 'runs', 'groups'])
      expect([part, report[part]]).toEqual([part, JSON.parse(separate.stdout)[part]])
    expect((await run('report', 'all')).stdout).toContain('12 documents with a summary, 0 failing, 0 stale')
    expect((await run('export', 'all')).stdout.trim().split('\n')).toHaveLength(12)
    expect((await run('summarize', 'docs', '-o', 'all', '--digest', 'digest.md')).code).toBe(0)
    expect(await readFile(join(cwd, 'digest.md'), 'utf8')).not.toBe('')
    const capped = await run(
      'summarize',
      'docs',
      '-o',
      'all',
      '--redo',
      'all',
      '--max-cost-per',
      '24h=0.000001',
    )
    expect([capped.code, capped.stderr]).toEqual([5, expect.stringContaining('--max-cost-per')])

    // The digest and its run are not in the shards.
    expect((await run('merge', 'part1', 'part2', 'part3', '-o', 'all')).stderr).toContain(
      'already has everything',
    )
  })

  it('get what new runs add, also if all is merged into one of them', async () => {
    const { cwd, run, simulator } = await createShards()
    await run('merge', 'part1', 'part2', 'part3', '-o', 'all')
    await writeFile(join(cwd, 'docs/0.md'), 'A new note on gulls.')
    for (const index of [1, 2, 3])
      await run('summarize', 'docs', '-o', `part${index}`, '--shard', `${index}/3`, '-q')
    expect((await run('merge', 'part1', 'part2', 'part3', '-o', 'all', '-q')).stderr).toBe('')
    const files = await readFolder(join(cwd, 'all'))
    expect(files['docs/0.md.summary.md']).toContain('gulls')
    expect(Object.keys(files).filter((name) => name.includes('conflict'))).toEqual([])
    expect((await run('merge', 'part1', 'part2', 'part3', '-o', 'part2')).code).toBe(0)
    const { requests, billed } = simulator.stats()
    for (const out of ['all', 'part2']) {
      expect((await run('summarize', 'docs', '-o', out)).stderr).toContain('12 unchanged')
      const report = JSON.parse((await run('report', out, '--format', 'json')).stdout)
      expect(report.totals).toMatchObject({ summarized: 13, input_tokens: billed.inputTokens })
    }
    expect(simulator.stats().requests).toBe(requests)
    expect(await readFolder(join(cwd, 'part2'))).not.toHaveProperty('.claude-batch/shard.json')
  })

  it('need no request if their documents are at another place here', async () => {
    const { cwd, run, simulator } = await createShards()
    const { requests } = simulator.stats()
    // As if each shard had been made on a machine with other mount points.
    await mkdir(join(cwd, 'fetched/deep'), { recursive: true })
    for (const index of [1, 2, 3])
      await rename(join(cwd, `part${index}`), join(cwd, `fetched/deep/part${index}`))
    await run('merge', ...[1, 2, 3].map((index) => `fetched/deep/part${index}`), '-o', 'all')
    const { stderr } = await run('summarize', 'docs', '-o', 'all')
    expect([stderr, simulator.stats().requests]).toEqual([expect.stringContaining('12 summarized'), requests])
    const files = Object.keys(await readFolder(join(cwd, 'all')))
    expect(files.filter((name) => name.endsWith('.summary.md'))).toHaveLength(12)
    expect((await run('summarize', 'docs', '-o', 'all')).stderr).toContain('12 unchanged')
  })

  it('keep the notes on chunks, so that an edit costs only one of them', async () => {
    const { cwd, run, simulator } = await createDocuments()
    const long = Array.from({ length: 900 }, (_, n) => `Line ${n} on gulls and piers.\n`).join('')
    await writeFile(join(cwd, 'docs/long.md'), long)
    const summarize = ['summarize', 'docs/long.md', '--chunk-tokens', '1600']
    await run(...summarize, '-o', 'part1')
    await run('merge', 'part1', '-o', 'all')
    await run('merge', 'part1', '-o', 'all')
    await writeFile(join(cwd, 'docs/long.md'), `${long}And one about ferries.\n`)
    const all = simulator.stats().requests
    await run(...summarize, '-o', 'all')
    const ofMerged = simulator.stats().requests - all
    await run(...summarize, '-o', 'part1')
    expect(ofMerged).toBe(simulator.stats().requests - all - ofMerged)
    expect(ofMerged).toBeLessThan(all)
  })

  it('give two documents of the same name a summary each', async () => {
    const { cwd, env, simulator } = await createDocuments()
    for (const folder of ['one', 'two']) {
      await mkdir(join(cwd, folder, 'docs'), { recursive: true })
      await writeFile(join(cwd, folder, 'docs/a.md'), `The harbour of ${folder}.`)
      await runInProcess(['summarize', 'docs', '-o', 'out'], { cwd: join(cwd, folder), env })
    }
    expect((await runMerge(cwd, 'one/out', 'two/out', '-o', 'all')).code).toBe(0)
    const summaries = Object.entries(await readFolder(join(cwd, 'all'))).filter(([name]) =>
      name.endsWith('.md'),
    )
    expect(summaries.map(([name]) => name)).toEqual([
      expect.stringMatching(/^docs\/a\.md\.summary\.md$|^docs\/a\.md\.~[0-9a-f]{12}\.summary\.md$/),
      expect.stringMatching(/^docs\/a\.md/),
    ])
    expect(summaries.map(([, text]) => /of (\w+)/.exec(text)?.[1]).sort()).toEqual(['one', 'two'])
    const { requests } = simulator.stats()
    for (const folder of ['one', 'two'])
      expect(
        (await runInProcess(['summarize', 'docs', '-o', '../all'], { cwd: join(cwd, folder), env })).stderr,
      ).toContain('1 unchanged')
    expect(simulator.stats().requests).toBe(requests)
  })
})

describe('a merge', () => {
  it('names missing, doubled and foreign shards, and exits with 1', async () => {
    const { cwd, run } = await createShards()
    await cp(join(cwd, 'part1'), join(cwd, 'copy1'), { recursive: true })
    expect(await run('merge', 'part1', 'copy1', '-o', 'all')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'claude-batch: 2 folders have shard 1/3: part1, copy1\nclaude-batch: shards 2, 3 of 3 are missing\n',
      ),
    })
    await run('summarize', 'docs', '-o', 'half', '--shard', '1/2', '-q')
    expect(await run('merge', 'part1', 'half', '-o', 'all', '-q')).toMatchObject({
      code: 1,
      stderr: 'claude-batch: the shards do not belong together: part1 1/3, half 1/2\n',
    })
  })

  it('names the tasks of a job array whose shards are missing', async () => {
    const { cwd, env, run } = await createShards()
    const runTask = (task: number, out: string, numbers: Readonly<Record<string, string>>) =>
      runInProcess(['summarize', 'docs', '-o', out, '--shard', 'auto', '-q'], {
        cwd,
        env: { ...env, SLURM_ARRAY_TASK_ID: String(task), SLURM_ARRAY_TASK_COUNT: '3', ...numbers },
      })
    const fromZero = { SLURM_ARRAY_TASK_MIN: '0', SLURM_ARRAY_TASK_MAX: '2', SLURM_ARRAY_TASK_STEP: '1' }
    const inTens = { SLURM_ARRAY_TASK_MIN: '10', SLURM_ARRAY_TASK_MAX: '30', SLURM_ARRAY_TASK_STEP: '10' }
    for (const task of [0, 1]) expect((await runTask(task, `zero${task}`, fromZero)).code).toBe(0)
    expect((await runTask(20, 'ten20', inTens)).code).toBe(0)
    const merge = async (...folders: string[]) => (await run('merge', ...folders, '-o', 'all', '-q')).stderr
    expect(await merge('zero0', 'zero1')).toBe(
      'claude-batch: shard 3 of 3 is missing (task 2 of the job array)\n',
    )
    expect(await merge('ten20')).toBe(
      'claude-batch: shards 1, 3 of 3 are missing (tasks 10, 30 of the job array)\n',
    )
    // The numbers of the tasks are not known if arrays number them differently, or if the user named a shard.
    expect(await merge('zero0', 'ten20')).toBe('claude-batch: shard 3 of 3 is missing\n')
    expect(await merge('zero0', 'part2')).toBe('claude-batch: shard 3 of 3 is missing\n')
  })

  it('names a folder whose run was killed before it recorded anything, and merges the others', async () => {
    const { cwd, run } = await createShards()
    for (const file of ['ledger.jsonl', 'journal.jsonl'])
      await rm(join(cwd, 'part2/.claude-batch', file), { force: true })
    expect(await run('merge', 'part1', 'part2', 'part3', '-o', 'all')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'part2 is incomplete: it has no results yet; run summarize in part2, then merge again\n',
      ),
    })
    expect((await run('report', 'all', '--format', 'json')).stdout).toContain('"summarized"')
    await mkdir(join(cwd, 'empty'))
    expect((await run('merge', 'part1', 'empty', '-o', 'all')).code).toBe(3)
  })

  it.each([
    ['its last run was killed', []],
    ['its last run was stopped (--time-limit)', [{ ...runEnd, stop_reason: '--time-limit' }]],
    [
      '2 documents are pending',
      [{ ...runEnd, documents: { summarized: 1, failed: 0, skipped: 0, pending: 2 } }],
    ],
  ])('names a shard that is incomplete because %s, and merges what it has', async (reason, end) => {
    const cwd = await createFolder({})
    const [start] = createRun('r1', 0)
    await writeOutputFolder(join(cwd, 'part1'), [start, createEntry('a.md', 'One.\n', 1), ...end], {
      'a.md.summary.md': 'One.\n',
      '.claude-batch/shard.json': '{"format_version":1,"index":1,"count":1}',
    })
    expect(await runMerge(cwd, 'part1', '-o', 'all', '-q')).toEqual({
      code: 1,
      stdout: '',
      stderr: `claude-batch: part1 is incomplete: ${reason}; run summarize in part1, then merge again\n`,
    })
    expect(await readFolder(join(cwd, 'all'))).toMatchObject({ 'a.md.summary.md': 'One.\n' })
  })

  it.each([
    ['summarize', 1],
    ['merge', 0],
  ])('takes over the lock of a %s that was killed, and exits with %i', async (command, code) => {
    const cwd = await createFolder({})
    const since = new Date().toISOString()
    const owner = await createLockOwner(2 ** 22 - 1, since, 'abc', { command, version: '1' })
    await writeOutputFolder(join(cwd, 'part1'), [], {
      '.claude-batch/shard.json': '{"format_version":1,"index":1,"count":1}',
      '.claude-batch/lock': JSON.stringify(owner),
    })
    const result = await runMerge(cwd, 'part1', '-o', 'all')
    expect([result.code, result.stderr.includes('its last run was killed')]).toEqual([code, code === 1])
    expect(await readFolder(join(cwd, 'part1'))).not.toHaveProperty('.claude-batch/lock')
  })

  it('takes a shard without documents as complete', async () => {
    const { cwd, run } = await createDocuments()
    await rm(join(cwd, 'docs'), { recursive: true })
    await mkdir(join(cwd, 'docs'))
    await writeFile(join(cwd, 'docs/a.md'), 'One note.')
    const parts = ['part1', 'part2', 'part3', 'part4']
    for (const [n, out] of parts.entries()) await run('summarize', 'docs', '-o', out, '--shard', `${n + 1}/4`)
    expect(await run('merge', ...parts, '-o', 'all', '-q')).toMatchObject({ code: 0, stderr: '' })
  })

  it('leaves batches that are not collected in their folder, and gets their results later', async () => {
    const { cwd, run, simulator } = await createDocuments()
    await run('summarize', 'docs', '-o', 'part1', '--batch', '--detach', '-q')
    await run('summarize', 'docs/1.md', '-o', 'part2', '-q')
    const { code, stderr } = await run('merge', 'part1', 'part2', '-o', 'all', '-q')
    expect(code).toBe(1)
    expect(stderr).toContain(
      'part1: 1 batch is not collected; run claude-batch batches collect part1, then merge again',
    )
    expect((await run('batches', 'collect', 'part1', '--wait')).code).toBe(0)
    expect((await run('merge', 'part1', 'part2', '-o', 'all', '-q')).code).toBe(0)
    const { requests } = simulator.stats()
    expect((await run('summarize', 'docs', '-o', 'all')).stderr).toContain('12 unchanged')
    expect(simulator.stats().requests).toBe(requests)
    expect(Object.keys(await readFolder(join(cwd, 'all'))).some((name) => name.includes('batches'))).toBe(
      false,
    )
  })

  it('reports results that are only in a journal, and refuses them in the target', async () => {
    const { cwd, run } = await createShards()
    await run('merge', 'part1', 'part2', '-o', 'all')
    const journaled = {
      entry: createEntry('docs/x.md', 'Paid.\n', 1),
      path: 'docs/x.md.summary.md',
      text: 'Paid.\n',
    }
    for (const out of ['part1', 'all'])
      await writeFile(join(cwd, out, '.claude-batch/journal.jsonl'), `${JSON.stringify(journaled)}\n`)
    expect(await run('merge', 'part1', 'part2', 'part3', '-o', 'new', '-q')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'part1: an interrupted run left 1 result outside the ledger; run summarize in part1',
      ),
    })
    const before = await readFolder(join(cwd, 'all'))
    expect(await run('merge', 'part3', '-o', 'all')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('run summarize with -o all first'),
    })
    expect(await readFolder(join(cwd, 'all'))).toEqual(before)
  })

  it('does not start while a run holds one of the folders', async () => {
    const { cwd } = await createShards()
    const owner = await createLockOwner(process.pid, new Date().toISOString(), 'abc', {
      command: 'summarize',
      version: '1',
    })
    await writeFile(join(cwd, 'part2/.claude-batch/lock'), JSON.stringify(owner))
    const held = await runInProcess(['merge', 'part1', 'part2', '-o', 'all'], { cwd, isRunning: () => true })
    expect([held.code, held.stderr]).toEqual([
      7,
      expect.stringContaining('part2: another run holds this output folder: process'),
    ])
    expect(await readFolder(cwd)).not.toHaveProperty('all/.claude-batch/ledger.jsonl')
    expect(await readFolder(join(cwd, 'part1'))).not.toHaveProperty('.claude-batch/lock')
  })

  it.each(['part1', 'all'])('does not start if another version wrote the ledger of %s', async (newer) => {
    const { cwd, run } = await createShards()
    await run('merge', 'part2', '-o', 'all')
    await appendFile(
      join(cwd, newer, '.claude-batch/ledger.jsonl'),
      '{"type":"document","format_version":3}\n',
    )
    const before = await readFolder(cwd)
    expect((await run('merge', 'part1', '-o', 'all')).code).toBe(2)
    expect(await readFolder(cwd)).toEqual(before)
  })

  it('reports damaged lines, and copies them as they are', async () => {
    const { cwd, run } = await createShards()
    await appendFile(
      join(cwd, 'part1/.claude-batch/ledger.jsonl'),
      '{"type":"document","path":"docs/99.md","sta\n',
    )
    const damaged = 'part1: 1 line of the ledger cannot be read; they were copied as they are'
    expect(await run('merge', 'part1', 'part2', 'part3', '-o', 'all')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(damaged),
    })
    const { '.claude-batch/ledger.jsonl': ledger = '' } = await readFolder(join(cwd, 'all'))
    expect(ledger.split('docs/99.md')).toHaveLength(2)
    await run('merge', 'part1', 'part2', 'part3', '-o', 'all')
    expect((await readFolder(join(cwd, 'all')))['.claude-batch/ledger.jsonl']).toBe(ledger)
  })

  it('needs folders with a ledger, and a folder to merge into', async () => {
    const { cwd, run } = await createShards()
    expect((await run('merge', 'part1', 'nowhere', '-o', 'all')).code).toBe(3)
    expect((await run('merge', 'part1')).code).toBe(2)
    expect((await run('merge', 'part1', '-o', '-')).code).toBe(2)
    expect((await run('merge', '-o', 'all')).code).toBe(2)
    expect(Object.keys(await readFolder(cwd)).filter((name) => name.startsWith('all'))).toEqual([])
    expect((await run('merge', 'part1', 'part1', 'part2', 'part3', '-o', 'all', '-q')).code).toBe(0)
    expect((await run('merge', 'all', '-o', 'all')).stderr).toContain('already has everything')
  })

  it('exits with 6 when the disk is full, and the next merge finishes', async () => {
    const { cwd } = await createShards()
    const args = ['merge', 'part1', 'part2', 'part3', '-o', 'all']
    let fullCount = 0
    for (; fullCount < 40; fullCount++) {
      // The disk has a little more room each time.
      const faults = { do: 'ENOSPC', op: 'write', path: '/all/', at: 3 + fullCount, times: 1e9, short: true }
      const { code, stderr } = await runInProcess(args, { cwd, faults })
      if (code === 0) break
      expect([code, stderr]).toEqual([6, expect.stringContaining('no space left')])
    }
    expect(fullCount).toBeGreaterThan(3)
    const files = Object.keys(await readFolder(join(cwd, 'all')))
    expect(files.filter((name) => name.endsWith('.summary.md'))).toHaveLength(12)
    expect(files.filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})
