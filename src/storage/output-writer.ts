import { dirname, join } from 'node:path'
import { stripFrontMatter } from '../core/document/front-matter.ts'
import { errorRecordSuffix, stateFolder } from '../core/document/output-path.ts'
import type { OutputFile } from '../core/run/ledger-entry.ts'
import { inspectErrorRecord, removeErrorRecord } from './error-record-file.ts'
import { writeFileAtomic } from './fs/atomic-write.ts'
import { syncFolders } from './fs/create-folder.ts'
import { hashText } from './fs/file-hash.ts'
import { statFile } from './fs/no-follow-fs.ts'
import type { JournalEntry } from './ledger/journal.ts'
import { removeSummary } from './remove-summary.ts'

/** Writes the files of journal entries to an output folder. */
export interface OutputWriter {
  /**
   * Writes the file of an entry.
   * @returns the file's data for the ledger; an empty object if the entry has no file
   * @throws ExitError `ioError`
   */
  write(entry: WritableEntry): Promise<{ readonly output?: OutputFile }>
  /** Removes the error record of a document that has a summary now. @param summary relative to the output folder */
  removeErrorRecord(summary: string): Promise<void>
  /** Removes a summary, and what else belongs to it. @param summary relative to the output folder */
  removeSummary(summary: string): Promise<void>
  /**
   * Syncs the state folder, all folders in which files were written or removed, and those above them, so that the names of
   * files and folders survive a power failure.
   */
  syncFolders(): Promise<void>
}

/** The part of a journal entry that its file depends on. */
type WritableEntry = Pick<JournalEntry, 'path' | 'text'> & {
  readonly entry: { readonly sha256?: string | undefined }
}

/** Creates a writer. @param runId makes the names of temporary files unique to this run */
export function createOutputWriter(out: string, runId: string): OutputWriter {
  const touchedFolders = new Set([join(out, stateFolder)])
  let writes = 0
  const touchFolderOf = (file: string) => {
    const folder = dirname(join(out, file))
    if (touchedFolders.has(folder)) return
    // The file of a text that was saved elsewhere has none.
    if (statFile(out, folder)?.isDirectory()) touchedFolders.add(folder)
  }
  return {
    async write({ path: file, text = '', entry }) {
      if (file === undefined) return {}
      const path = join(out, file)
      // A file of the user has this name. It is kept, and only the ledger records the failure.
      if (file.endsWith(errorRecordSuffix) && (await inspectErrorRecord(out, path)) === 'other') return {}
      touchedFolders.add(dirname(path))
      const { size, mtimeMs } = await writeFileAtomic(out, path, text, `${runId}-${writes++}`)
      const hasFrontMatter = stripFrontMatter(text, entry) !== text
      return {
        output: {
          path: file,
          size_bytes: size,
          mtime_ms: mtimeMs,
          sha256: hashText(text),
          ...(hasFrontMatter && { front_matter: true }),
        },
      }
    },
    async removeErrorRecord(summary) {
      // An earlier run may have removed it, and a power failure would bring it back.
      touchFolderOf(summary)
      await removeErrorRecord(out, summary)
    },
    async removeSummary(summary) {
      touchFolderOf(summary)
      await removeSummary(out, summary)
    },
    async syncFolders() {
      await syncFolders(out, touchedFolders)
      touchedFolders.clear()
    },
  }
}
