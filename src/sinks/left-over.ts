import { appendFile, type FileHandle } from 'node:fs/promises'
import { ledgerVersion } from '../core/ledger-line.ts'
import { isBelow } from '../core/output-path.ts'
import { cannotRead, cannotWrite } from './disk-error.ts'
import type { Entry } from './journal.ts'
import { newerThanWeAre } from './ledger.ts'
import { openRegular } from './regular-file.ts'

/** What an earlier run left in its journal. */
export interface LeftOver {
  readonly entries: readonly Entry[]
  /** Lines that cannot be read. One that was torn by the run's end is none of them: it was not kept yet. */
  readonly damaged: number
}

/** @throws RunError `usage` where a newer version of this program wrote it, or `io` */
export async function readJournal(journal: string): Promise<LeftOver> {
  const texts = (await contentOf(journal)).toString('utf8').split('\n')
  const entries: Entry[] = []
  let damaged = 0
  for (const [n, text] of texts.entries()) {
    if (text === '') continue
    const entry = parsed(text)
    const version = entry?.line?.v ?? 0
    if (version > ledgerVersion) throw newerThanWeAre(journal, version)
    if (isUsable(entry)) entries.push(entry)
    else if (n < texts.length - 1) damaged++
  }
  return { entries, damaged }
}

/**
 * Adds what is in a journal to `<journal>.damaged`, so that the texts which cannot be read can be got out by hand.
 * @throws RunError `io`
 */
export async function keepAside(journal: string): Promise<void> {
  const aside = `${journal}.damaged`
  const content = await contentOf(journal)
  await appendFile(aside, content, { mode: 0o600, flush: true }).catch((error: NodeJS.ErrnoException) => {
    throw cannotWrite(aside, error)
  })
}

async function contentOf(file: string): Promise<Buffer> {
  let handle: FileHandle | undefined
  try {
    handle = await openRegular(file)
    return (await handle?.readFile()) ?? Buffer.alloc(0)
  } catch (error) {
    throw cannotRead(file, error as NodeJS.ErrnoException)
  } finally {
    await handle?.close().catch(() => {})
  }
}

function parsed(text: string): Entry | null {
  try {
    return JSON.parse(text) as Entry | null
  } catch {
    return null
  }
}

/** It comes from a file that anybody may have written to: it must not lead us anywhere else. */
function isUsable(entry: Entry | null): entry is Entry {
  const { line, file = '', text = '', run } = entry ?? {}
  if (run !== undefined && (typeof run?.run !== 'string' || typeof run.base !== 'string')) return false
  return typeof line?.path === 'string' && typeof text === 'string' && isBelow(file)
}
