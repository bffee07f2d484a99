const isWindows = process.platform === 'win32'

/**
 * What the operating system has, for tests that need it: `it.runIf(has.pipes)('reports a pipe', …)`. Windows has
 * none of it, and macOS has no `/proc`.
 */
export const has = {
  /** Names with any character except `/`: a backslash, a colon, a line break, `a*b`. */
  anyName: !isWindows,
  /** Pipes and devices with a name: `mkfifo`, `/dev/zero`. */
  pipes: !isWindows,
  /** Permission bits: Windows has access lists instead. */
  permissions: !isWindows,
  proc: process.platform === 'linux',
  /** Paths that the system limits to a few kilobytes. */
  shortPaths: !isWindows,
  /** Folders that can be opened and synced. */
  syncedFolders: !isWindows,
}
