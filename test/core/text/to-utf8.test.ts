import { describe, expect, it } from 'vitest'
import { toUtf8 } from '../../../src/core/text/to-utf8.ts'

describe('toUtf8', () => {
  const text = 'müde: ja\r\n'
  const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le')

  it.each([
    ['UTF-16LE', utf16, text],
    ['UTF-16BE', Buffer.from(utf16).swap16(), text],
    ['UTF-8', Buffer.from(text), text],
    ['UTF-8 with a byte-order mark', Buffer.from(`\ufeff${text}`), `\ufeff${text}`],
    ['nothing', Buffer.alloc(0), ''],
    ['one byte', Buffer.from('a'), 'a'],
  ])('returns the text of %s', (_name, bytes, expected) => {
    expect(toUtf8(bytes).toString('utf8')).toBe(expected)
  })

  it('returns other bytes unchanged', () => {
    const bytes = Buffer.from([0x61, 0xff, 0x00])
    expect(toUtf8(bytes)).toBe(bytes)
  })
})
