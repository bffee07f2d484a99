import { dirname, join } from 'node:path'
import { errorRecordSuffix, stateFolder } from '../core/document/output-path.ts'
import type { OutputFile } from '../core/run/ledger-entry.ts'
import { inspectErrorRecord } from './error-record-file.ts'
import { writeFileAtomic } from './fs/atomic-write.ts'
import { syncFolder } from './fs/create-folder.ts'
import { hashText } from './fs/file-hash.ts'
import type { JournalEntry } from './ledger/journal.ts'

/** Writes the files of journal entries to an output folder. */
export interface OutputWriter {
  /**
   * Writes the file of an entry.
   * @returns the file's data for the ledger; an empty object if the entry has no file
   * @throws ExitError `ioError`
   */
  write(entry: JournalEntry): Promise<{ readonly output?: OutputFile }>
  /**
   * Syncs the state folder and all folders that `write` has used, so that the files' names survive a power
   * failure.
   */
  syncFolders(): Promise<void>
}

/** Creates a writer. @param runId makes the names of temporary files unique to this run */
export function createOutputWriter(out: string, runId: string): OutputWriter {
  const touchedFolders = new Set([join(out, stateFolder)])
  let writes = 0
  return {
    async write({ path: file, text = '' }) {
      if (file === undefined) return {}
      const path = join(out, file)
      // A file of the user has this name. It is kept, and only the ledger records the failure.
      if (file.endsWith(errorRecordSuffix) && (await inspectErrorRecord(out, path)) === 'other') return {}
      touchedFolders.add(dirname(path))
      const { size, mtimeMs } = await writeFileAtomic(out, path, text, `${runId}-${writes++}`)
      return { output: { path: file, size_bytes: size, mtime_ms: mtimeMs, sha256: hashText(text) } }
    },
    async syncFolders() {
      for (const folder of touchedFolders) await syncFolder(folder)
      touchedFolders.clear()
    },
  }
}
