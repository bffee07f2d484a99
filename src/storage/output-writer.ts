import { dirname, join } from 'node:path'
import { errorRecordSuffix, stateFolder } from '../core/document/output-path.ts'
import type { OutputFile } from '../core/run/ledger-entry.ts'
import { inspectErrorRecord } from './error-record-file.ts'
import { writeFileAtomic } from './fs/atomic-write.ts'
import { syncFolder } from './fs/create-folder.ts'
import { hashText } from './fs/file-hash.ts'
import type { JournalEntry } from './ledger/journal.ts'

/** Puts the files of journal entries into an output folder. */
export interface OutputWriter {
  /**
   * @returns what the ledger records of the file; nothing where none was written
   * @throws ExitError `ioError`
   */
  write(entry: JournalEntry): Promise<{ readonly output?: OutputFile }>
  /** Brings the names of all files that were written onto the disk, and those in the state folder. */
  syncFolders(): Promise<void>
}

/** Creates a writer. @param runId makes the names of temporary files this run's own */
export function createOutputWriter(out: string, runId: string): OutputWriter {
  const touchedFolders = new Set([join(out, stateFolder)])
  let writes = 0
  return {
    async write({ path: file, text = '' }) {
      if (file === undefined) return {}
      const path = join(out, file)
      // The user's own file of that name: only the ledger reports the failure then.
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
