import type { MarkedText } from '../../../core/document/mark.ts'
import { truncate } from '../../../core/text/truncate.ts'

/** Returns the text of an e-mail with its position: the message with this subject. */
export function markMessage(text: string): MarkedText {
  const [head = ''] = text.split('\n\n', 1)
  const subject = /^Subject: (.*)$/m.exec(head)?.[1]?.trim() || '1'
  return { text, marks: [{ offset: 0, kind: 'message', label: truncate(subject, 200) }] }
}
