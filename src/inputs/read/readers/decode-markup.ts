import { fixWindows1252, windows1252Char } from '../windows-1252.ts'

/** Decodes markup that arrives in pieces. */
export interface MarkupDecoder {
  write(bytes: Uint8Array): string
  end(): string
}

/**
 * Returns a decoder for XML in the encoding that its byte-order mark or XML declaration names; otherwise
 * UTF-8. The text never begins with a byte-order mark.
 */
export function createMarkupDecoder(): MarkupDecoder {
  let start: Buffer | undefined = Buffer.alloc(0)
  let decoder: InstanceType<typeof TextDecoder> | undefined
  let isWindows1252 = false
  const decode = (bytes?: Uint8Array) => {
    const text = decoder?.decode(bytes, { stream: bytes !== undefined }) ?? ''
    return isWindows1252 ? fixWindows1252(text) : text
  }
  const decodeStart = (bytes: Buffer) => {
    start = undefined
    const encoding = findDeclaredEncoding(bytes) ?? 'utf-8'
    isWindows1252 = encoding === 'windows-1252'
    decoder = new TextDecoder(encoding)
    return decode(bytes)
  }
  return {
    write(bytes) {
      if (start === undefined) return decode(bytes)
      start = Buffer.concat([start, bytes])
      return start.length < declarationBytes ? '' : decodeStart(start)
    },
    end: () => (start === undefined ? '' : decodeStart(start)) + decode(),
  }
}

/**
 * Returns the text of a whole file of XML or HTML in the encoding that it declares, otherwise UTF-8. Bytes
 * that are not UTF-8 are decoded as windows-1252, so that no byte is replaced.
 */
export function decodeMarkup(bytes: Buffer): string {
  const declared = findDeclaredEncoding(bytes)
  if (declared !== undefined && declared !== 'utf-8') return decodeAs(bytes, declared)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const meta = toDecoderName(metaCharset.exec(bytes.toString('latin1', 0, 2048))?.[1])
    return meta === undefined || meta === 'utf-8' ? decodeMixed(bytes) : decodeAs(bytes, meta)
  }
}

/** Bytes in which a declaration is looked for. */
const declarationBytes = 256

const metaCharset = /<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{2,40})/i

function findDeclaredEncoding(bytes: Buffer): string | undefined {
  const start = bytes.toString('latin1', 0, declarationBytes)
  if (start.startsWith('\xef\xbb\xbf')) return 'utf-8'
  if (start.startsWith('\xff\xfe') || start.startsWith('<\0')) return 'utf-16le'
  if (start.startsWith('\xfe\xff') || start.startsWith('\0<')) return 'utf-16be'
  const name = toDecoderName(/^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)/.exec(start)?.[1])
  // A declaration that can be read one byte at a time is not in UTF-16, even if it says so.
  return name?.startsWith('utf-16') ? undefined : name
}

/** Returns the standard name of an encoding; undefined if it is unknown. */
function toDecoderName(label: string | undefined): string | undefined {
  if (label === undefined) return undefined
  try {
    return new TextDecoder(label).encoding
  } catch {
    return undefined
  }
}

function decodeAs(bytes: Buffer, encoding: string): string {
  const text = new TextDecoder(encoding).decode(bytes)
  return encoding === 'windows-1252' ? fixWindows1252(text) : text
}

function decodeMixed(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(
      /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x80-\xff]/g,
      (character) =>
        character.length > 1
          ? Buffer.from(character, 'latin1').toString()
          : windows1252Char(character.charCodeAt(0)),
    )
    .replace(/^\ufeff/, '')
}
