import type {
  DocumentEntry,
  PrunedEntry,
  RunEnd,
  RunStart,
  UnchangedEntry,
} from '../../core/run/ledger-entry.ts'
import type { AppendFile } from '../fs/append-file.ts'

/** Appends the entries of this run to the ledger. The run start is appended just before the first entry. */
export interface RunRecorder {
  /** Whether the ledger has the start of this run. */
  isStarted(): boolean
  /** Appends an entry of this run. @throws ExitError `ioError` */
  record(entry: DocumentEntry | UnchangedEntry | PrunedEntry): Promise<void>
  /** Appends the end of this run, if it recorded any entry. @throws ExitError `ioError` */
  recordEnd(end: RunEnd): Promise<void>
}

/** Creates the recorder of a run. */
export function createRunRecorder(ledgerFile: AppendFile, run: RunStart): RunRecorder {
  let starting: Promise<void> | undefined
  let isStarted = false

  const start = async () => {
    await ledgerFile.append(JSON.stringify(run))
    isStarted = true
  }

  return {
    isStarted: () => isStarted,
    async record(entry) {
      starting ??= start()
      await starting
      await ledgerFile.append(JSON.stringify(entry))
    },
    async recordEnd(end) {
      if (isStarted) await ledgerFile.append(JSON.stringify(end))
    },
  }
}
