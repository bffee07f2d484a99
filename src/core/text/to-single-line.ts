/**
 * Returns untrusted text as one line: white space and control characters become single spaces, and marks that reorder or
 * hide text are removed.
 */
export function toSingleLine(text: string): string {
  return text
    .replace(hiddenMarks, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
}

/** Soft hyphens, bidirectional marks (CVE-2021-42574), zero-width characters, and tags. */
const hiddenMarks =
  /[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu
