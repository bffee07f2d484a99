import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { toSlashes } from '../../src/core/document/document-path.ts'
import type { DocumentEntry } from '../../src/core/run/ledger-entry.ts'
import { extractSummary } from '../../src/simulator/extract-summary.ts'
import type { Behaviour } from '../../src/simulator/script.ts'
import type { SimulatorOptions } from '../../src/simulator/simulator.ts'
import type { FaultPlan } from '../support/fault-fs.mjs'
import { startService } from '../support/run-cli.ts'

/** The text of a document in these tests: one sentence, which is also its summary. */
export const sentence = (name: string) =>
  `The harbour board met about pier ${name} and decided at last to dredge the channel there for good.`

/** Documents by path, one for each name: `docs/a.md`, `docs/b.md`, … */
export const docs = (names: Iterable<string> = 'abc') =>
  Object.fromEntries([...names].map((name) => [`docs/${name}.md`, `${sentence(name)}\n`]))

/** The complete summary of the document of that name. */
export const summaryOf = (name: string) => `${extractSummary(sentence(name))}\n`

/** A normal answer after 5 ms. */
export const answer: Behaviour = { kind: 'answer', delayMs: 5 }

/** Starts a simulator that counts the requests for each of {@link docs}. */
export async function countedService(
  behaviour: (name: string, time: number) => Behaviour = () => ({ kind: 'answer', delayMs: 5 }),
  options: SimulatorOptions = {},
) {
  const hits = new Map<string, number>()
  const service = await startService({
    ...options,
    script({ request }) {
      const isOfNotes = request.text.includes('[Part 1 of ')
      const name = isOfNotes ? 'notes' : (/about pier (\w+)/.exec(request.text)?.[1] ?? '')
      const time = (hits.get(name) ?? 0) + 1
      hits.set(name, time)
      return behaviour(name, time)
    },
  })
  return { ...service, hits: () => Object.fromEntries([...hits].sort()) }
}

/** Lists the paths of all files below a folder. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => toSlashes(join(parentPath, name).slice(folder.length + 1)))
    .sort()
}

/** Returns the names of the {@link docs} that have a summary. */
export async function summarized(cwd: string): Promise<string> {
  const names = await readdir(join(cwd, 'summaries/docs')).catch(() => [])
  return names.map((name) => /^(\w+)\.md\.summary\.md$/.exec(name)?.[1] ?? '').join('')
}

/** Reads the ledger's entries about documents. @throws if a line is unreadable and `torn` is false */
export async function ledgerOf(cwd: string, { torn = false } = {}): Promise<DocumentEntry[]> {
  const text = await readFile(join(cwd, 'summaries/.claude-batch/ledger.jsonl'), 'utf8').catch(() => '')
  const lines: DocumentEntry[] = []
  for (const line of text.split('\n').filter((line) => line !== '')) {
    try {
      lines.push(JSON.parse(line) as DocumentEntry)
    } catch (error) {
      if (!torn) throw error
    }
  }
  return lines.filter(({ path }) => path !== undefined)
}

export interface Invariants {
  /** Everything that the program printed. */
  readonly said?: string
  /** A run was killed, or its disk was full: temporary files and torn lines may be left. */
  readonly cut?: boolean
  /** Names of documents whose summary was changed or removed by hand. */
  readonly touched?: string
}

/** Checks what must hold after every run: no key leaks, summaries are complete, the ledger matches them. */
export async function checkInvariants(
  cwd: string,
  { said = '', cut = false, touched = '' }: Invariants = {},
): Promise<void> {
  const files = await filesBelow(cwd)
  for (const file of files) {
    const text = await readFile(join(cwd, file), 'latin1').catch(() => '')
    expect(text, file).not.toContain('sk-ant')
    const name = /(\w+)\.md\.summary\.md$/.exec(file)?.[1]
    if (name !== undefined && !touched.includes(name)) expect(text, file).toBe(summaryOf(name))
    if (file.endsWith('.error.txt')) expect(text, file).toMatch(/^ERROR: .*\n$/s)
  }
  if (!cut) expect(files.filter((file) => file.endsWith('.tmp'))).toEqual([])
  expect(said).not.toContain('sk-ant')
  expect(said).not.toMatch(/\n\s+at /)

  const latest = new Map<string, DocumentEntry>()
  for (const line of await ledgerOf(cwd, { torn: cut }))
    if (line.status === 'summarized') latest.set(line.path, line)
  for (const [path, { output }] of latest) {
    if (touched.includes(/(\w+)\.md$/.exec(path)?.[1] ?? '')) continue
    const text = await readFile(join(cwd, 'summaries', output?.path ?? ''))
    expect(createHash('sha256').update(text).digest('hex'), path).toBe(output?.sha256)
  }
}

const faultFs = new URL('../support/fault-fs.mjs', import.meta.url).href

/** Returns environment variables that make the program's file operations fail as planned. */
export function faulty(plan: FaultPlan): Record<string, string> {
  return { NODE_OPTIONS: `--import=${faultFs}`, FAULT_FS: JSON.stringify(plan) }
}
