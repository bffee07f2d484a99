import { randomBytes } from 'node:crypto'
import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Source } from '../core/document.ts'
import { outputPaths } from '../core/output-path.ts'
import { recordOf } from '../core/record.ts'
import { RunError, UsageError } from '../errors.ts'
import type { Sink } from './sink.ts'
import { cannotWrite, writeWhole } from './whole-file.ts'

/**
 * A tree of summaries that mirrors the tree of documents. A failure has a record file of its own beside the
 * summary's place and never touches an earlier good summary; a success removes the record.
 * @param sources all of the run, so that no two get one name
 * @throws UsageError, RunError `io`, when the folder cannot be used, before anything is paid for
 */
export async function filesSink(out: string, sources: readonly Source[]): Promise<Sink> {
  const run = randomBytes(6).toString('hex')
  const name = outputPaths(await probe(out, run))
  const paths = new Map(sources.map(({ path }) => [path, name(path)]))
  let writes = 0

  return {
    async write(outcome) {
      const path = paths.get(outcome.source.path)
      if (path === undefined || outcome.status === 'skipped' || outcome.status === 'pending') return
      const nonce = `${run}-${writes++}`
      const record = join(out, path.record)
      if (outcome.status === 'failed') return writeWhole(out, record, recordOf(outcome), nonce)
      await writeWhole(out, join(out, path.summary), `${outcome.text.trimEnd()}\n`, nonce)
      await rm(record, { force: true })
    },
    async close() {},
  }
}

/** Makes the folder, proves that it can be written, and tells whether it takes `A` and `a` for one name. */
async function probe(out: string, run: string): Promise<boolean> {
  try {
    await mkdir(out, { recursive: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw new UsageError(`--out ${out}: a file of that name is in the way`)
    throw cannotWrite(out, error as NodeJS.ErrnoException)
  }
  const marker = join(out, `.claude-batch-${run}-Probe.tmp`)
  try {
    await writeWhole(out, marker, '', `${run}-probe`)
    return await stat(marker.replace('-Probe', '-pROBE')).then(
      () => true,
      () => false,
    )
  } catch (error) {
    throw error instanceof RunError ? new RunError('io', error.message.replace(marker, `to ${out}`)) : error
  } finally {
    await rm(marker, { force: true }).catch(() => {})
  }
}
