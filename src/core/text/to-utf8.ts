/**
 * Returns a text file in UTF-8: UTF-16 with a byte-order mark, which `>` in Windows PowerShell writes, is
 * converted. Everything else is returned unchanged.
 */
export function toUtf8(bytes: Buffer): Buffer {
  const mark = bytes.toString('hex', 0, 2)
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : undefined
  return encoding === undefined ? bytes : Buffer.from(new TextDecoder(encoding).decode(bytes))
}
