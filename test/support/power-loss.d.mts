/** A file: its content, and its time in seconds since 1970. */
export interface StoredFile {
  readonly bytes: Buffer
  readonly time: number
}

/** Files by relative path; folders are undefined. */
export type Tree = ReadonlyMap<string, StoredFile | undefined>

/** What a program did with the files below a folder. */
export interface DiskRecording {
  /** The files before, which are safe on the disk. */
  readonly initial: Tree
  /** The beginnings and ends of operations, and marks. */
  readonly events: readonly object[]
}

/** A recording in progress. */
export interface ActiveDiskRecording extends DiskRecording {
  /** Records that something else happened now. */
  mark(text: string): void
  stop(): void
}

/** The disk after some events of a recording. */
export interface ReplayedDisk {
  /** Returns the files as the program sees them. */
  current(): Tree
  /** The marks so far. */
  marks(): readonly string[]
  /** Returns files that a power loss may leave. */
  afterPowerLoss(random: () => number): Tree
}

/** Starts a recording in this process. Only one can be in progress. */
export function recordDisk(root: string): ActiveDiskRecording

/** Reads the log of another process, up to its last complete line. */
export function readDiskLog(log: string, initial: Tree): DiskRecording

/** Returns the disk after the first `count` events, or after all. */
export function replay(recording: DiskRecording, count?: number): ReplayedDisk

/** Reads the files of a folder. */
export function readTree(folder: string): Tree

/** Writes files into an empty folder. */
export function writeTree(tree: Tree, folder: string): void
