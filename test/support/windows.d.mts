/** The settings of `windows.mjs`, as JSON in the variable `WINDOWS`. */
export interface WindowsSettings {
  /** How many renames fail before the first one succeeds, as while a virus scanner has the file open. */
  readonly busy?: number
  /** Whether the disk has hard links; an exFAT disk has none. @default true */
  readonly hasLinks?: boolean
}
