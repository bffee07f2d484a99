/** Where a summary comes from, besides its document. */
export interface Provenance {
  /** The prompt and its version: `summarize@v2`. */
  readonly prompt: string
  /** The requested model. */
  readonly model: string
  /** Hash of all settings that shape the reply. */
  readonly settingsHash: string
}
