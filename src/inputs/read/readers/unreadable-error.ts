/** The one-line reason why a reader cannot extract the text of a document, which makes the document fail. */
export class UnreadableError extends Error {
  override readonly name = 'Unreadable'
  /** A stable word for scripts: `malformed`, `encrypted`, `no_text`, `too_large`, `too_complex`, `too_slow`. */
  readonly type: string

  constructor(type: string, message: string) {
    super(message)
    this.type = type
  }
}
