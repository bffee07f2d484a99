import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BatchItem } from '../../src/core/batch/batch.ts'
import { createItemFormatter, formatHeaderLine, formatSealedLine } from '../../src/core/batch/batch-file.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { createLockOwner } from '../../src/storage/lock/lock-owner.ts'
import { createEnv } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { docs } from './invariants.ts'

/** The user's own files next to the summaries. */
const own = {
  'docs/own.md.summary.md': 'My own words.\n',
  'docs/own.md.error.txt': 'My own.\n',
  'own.txt': 'My own.\n',
  '.git/config': '[core]\n',
}
const batch = '0123456789abcdef'
const states = [
  'ledger.jsonl',
  'journal.jsonl',
  'chunk-cache.jsonl',
  `batches/${batch}.jsonl`,
  'lock',
] as const
const summarize = ['summarize', 'docs', '-o', '.', '--chunk-tokens', '1600']
const jsonLines = (...lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('')

let simulator: Simulator
/** A folder with documents, summaries and every kind of state file; each check works on a copy. */
let done: string

beforeAll(async () => {
  simulator = await startSimulator({
    latency: { medianMs: 1, sigma: 0 },
    script: ({ request }) =>
      request.text.includes('pier failing ')
        ? { kind: 'status', status: 400 }
        : { kind: 'answer', delayMs: 1 },
  })
  done = await mkdtemp(join(tmpdir(), 'claude-batch-test-'))
  const write = async (path: string, text: string) => {
    await mkdir(join(done, path, '..'), { recursive: true })
    await writeFile(join(done, path), text)
  }
  const texts = { ...docs(['a', 'b', 'gone', 'failing']), 'docs/long.md': 'A long text. '.repeat(900) }
  for (const [path, text] of Object.entries(texts)) await write(path, text)
  expect(await runInProcess(summarize, { cwd: done, env: createEnv(simulator) })).toMatchObject({ code: 1 })
  await rm(join(done, 'docs/gone.md'))
  for (const [path, text] of Object.entries(own)) await write(path, text)
  const ledger = (await readFile(join(done, '.claude-batch/ledger.jsonl'), 'utf8')).split('\n')
  const { output, ...line } = JSON.parse(ledger.find((it) => it.includes('docs/b.md')) ?? '')
  const { prompt, model, settings_hash, request_hash, sha256 } = line
  const settings = { maxTokens: 9, frontMatter: false }
  const asked: BatchItem['asked'] = {
    ...{
      requestHash: request_hash,
      fingerprint: { size: 3, mtimeMs: 1, sha256 },
      characters: 30,
      kind: 'prose' as const,
    },
    ...{ provenance: { prompt, model, settingsHash: settings_hash }, answerSettings: settings },
  }
  const time = '2026-12-01T00:00:00.000Z'
  await write(
    '.claude-batch/journal.jsonl',
    jsonLines({ entry: { ...line, ended_at: time }, path: output.path, text: 'x' }),
  )
  await write(
    `.claude-batch/batches/${batch}.jsonl`,
    [
      formatHeaderLine({ localId: batch, endpoint: simulator.url, cwd: '' }),
      ...createItemFormatter()(`${batch}_k_0`, { path: 'docs/c.md', asked }),
      formatSealedLine(Date.parse(time)),
    ].join('\n'),
  )
  await write('.claude-batch/lock', jsonLines(await createLockOwner(4_194_305, time, 'dead')))
})
afterAll(async () => {
  await simulator.close()
  await rm(done, { recursive: true })
})

const hostile = fc.oneof(
  fc.constantFrom<unknown>(
    ...[null, true, [], {}, '', 0, -1, 1e300, -1e300, 2 ** 53, 1.5, [null], [[]], { toString: 5 }],
    ...['__proto__', 'constructor', 'NaN', '1e300', '9'.repeat(50), 'x'.repeat(5000), 'x\0y'],
    ...['\u001b[2J\u0007', '2099-01-01T00:00:00.000Z', '../own.txt', '/etc/passwd', 'docs', '.', '-'],
    ...[...Object.keys(own), 'docs/own.md', 'docs/b.md', 'docs/b.md.summary.md'],
  ),
  fc.string(),
  fc.double(),
  fc.jsonValue(),
)

/** One change to one file: to a field at any depth, to a byte, or a repeated line. */
const mutation = fc.record({
  file: fc.constantFrom(...states),
  how: fc.constantFrom('set', 'set inside', 'add', 'remove', '__proto__', 'byte', 'repeat'),
  at: fc.nat(5000),
  field: fc.nat(30),
  added: fc.constantFrom(
    'run',
    'ended',
    'dropped',
    'damaged',
    'newer',
    'path',
    'output',
    'doubts',
    'error',
    'made',
  ),
  value: hostile,
})
type Mutation = typeof mutation extends fc.Arbitrary<infer Value> ? Value : never

function mutated(text: string, { how, at, field, added, value }: Mutation): string {
  const place = at % Math.max(1, text.length)
  if (how === 'byte') return text.slice(0, place) + String.fromCharCode(field) + text.slice(place + 1)
  const lines = text.split('\n').filter((line) => line !== '')
  const line = lines[at % lines.length] ?? '{}'
  if (how === 'repeat') return `${text}${line}\n`
  const object = parsed(line)
  change(object)
  const changed =
    how === '__proto__' ? line.replace('{', `{"__proto__":${JSON.stringify(value)},`) : JSON.stringify(object)
  return lines.map((it) => `${it === line ? changed : it}\n`).join('')

  function change(it: Record<string, unknown>): void {
    const keys = Object.keys(it)
    const name = keys[field % keys.length] ?? 'none'
    const inside = it[name]
    if (how === 'remove') delete it[name]
    else if (how === 'add') it[added] = value
    else if (how === 'set inside' && typeof inside === 'object' && inside !== null)
      change(inside as Record<string, unknown>)
    else it[name] = value
  }
}

function parsed(line: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(line)) as Record<string, unknown>
  } catch {
    return {}
  }
}

const commands = [
  ['report', '.'],
  ['report', '.', '--format', 'html'],
  ['report', '.', '--format', 'md'],
  ...['jsonl', 'csv', 'md', 'html'].map((format) => ['export', '.', '--format', format]),
  ['batches', 'list', '.'],
  [...summarize, '--dry-run'],
  ['report', '.', '--prune'],
  ['merge', '.', '-o', 'all'],
  [...summarize, '-v'],
  ['batches', 'collect', '.'],
  ['merge', 'all', '-o', '.'],
]

// Control characters except tabs and line breaks: rows of CSV end with CRLF.
const control = /[\u0000-\u0008\u000b-\u001f\u007f]/

describe('state files with random changes', () => {
  it('make no command crash, print control characters or change a file of the user', async () => {
    const check = async (mutations: readonly Mutation[]) => {
      const cwd = await mkdtemp(join(tmpdir(), 'claude-batch-test-'))
      try {
        await cp(done, cwd, { recursive: true, preserveTimestamps: true })
        for (const it of mutations) {
          const file = join(cwd, '.claude-batch', it.file)
          await writeFile(file, mutated(await readFile(file, 'utf8'), it))
        }
        for (const args of commands) {
          const run = { cwd, env: createEnv(simulator), clockSpeed: 1000, random: () => 0 }
          const { code, stdout, stderr } = await runInProcess(args, run)
          const what = args.join(' ')
          expect([what, code], stderr).not.toEqual([what, 70])
          expect(stdout.replaceAll('\r\n', '\n') + stderr, what).not.toMatch(control)
          for (const [path, text] of Object.entries(own))
            expect([what, path, await readFile(join(cwd, path), 'utf8')]).toEqual([what, path, text])
        }
      } finally {
        await rm(cwd, { recursive: true })
      }
    }
    const mutations = fc.array(mutation, { minLength: 1, maxLength: 8 })
    await fc.assert(fc.asyncProperty(mutations, check), { numRuns: 25, endOnFailure: true })
  })
})
