/** Why a reader cannot give a document's text: a failure of that document, told in one line. */
export class UnreadableError extends Error {
  override readonly name = 'Unreadable'
  /** A stable word for scripts: `malformed`, `encrypted`, `no_text`, `too_large`, `too_complex`, `too_slow`. */
  readonly type: string

  constructor(type: string, message: string) {
    super(message)
    this.type = type
  }
}
