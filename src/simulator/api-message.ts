/** A message as the API gives it; `usage` may be left out or be nonsense, where the script wants it so. */
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
