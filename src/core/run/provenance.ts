/** Where a summary comes from, apart from its document. */
export interface Provenance {
  /** The prompt and its version: `summarize@v2`. */
  readonly prompt: string
  /** The model that was asked. */
  readonly model: string
  /** Hash of all settings that shape the answer. */
  readonly settingsHash: string
}
