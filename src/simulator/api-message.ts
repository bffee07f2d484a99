/** A message as the API returns it. A script may omit `usage` or make it invalid. */
export interface Message {
  readonly id: string
  readonly type: 'message'
  readonly role: 'assistant'
  readonly model: string
  readonly content: readonly unknown[]
  readonly stop_reason: string
  readonly stop_sequence: null
  readonly stop_details: unknown
  readonly usage?: unknown
}
