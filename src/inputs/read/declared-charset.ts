/**
 * Returns the character set that an XML declaration at the start of a text names; for HTML also that of the
 * first `<meta>` element that names one. Browsers honor a late one as well.
 */
export function findDeclaredCharset(bytes: Buffer, isHtml: boolean): string | undefined {
  const start = bytes.subarray(0, 1024).toString('latin1')
  const ofXml = /^(?:\xef\xbb\xbf)?\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([\w.:-]{2,40})["']/.exec(start)?.[1]
  const declared = ofXml ?? (isHtml ? findMetaCharset(bytes) : undefined)
  // A declaration that can be read byte by byte is not UTF-16, so browsers take this for UTF-8.
  return declared !== undefined && /^(?:utf-?16|ucs-?2|unicode$)/i.test(declared) ? 'utf-8' : declared
}

/** Maximum bytes that are searched, because some pages have all their scripts before the declaration. */
const maxHeadBytes = 1_000_000

function findMetaCharset(bytes: Buffer): string | undefined {
  const head = bytes.subarray(0, maxHeadBytes).toString('latin1')
  const tags = /<!--|<(?:script|style|title|textarea)\b|<meta[\s/]([^>]{0,1000})/gi
  for (let tag = tags.exec(head); tag !== null; tag = tags.exec(head)) {
    const [opening, attributes] = tag
    if (attributes === undefined) {
      const end = findEnd(head, opening, tags.lastIndex)
      if (end === -1) return undefined
      tags.lastIndex = end
    } else {
      const charset = readMetaCharset(attributes)
      if (charset !== undefined) return charset
    }
  }
  return undefined
}

/** Returns where a comment, or an element whose content is not markup, ends; -1 if it does not end. */
function findEnd(head: string, opening: string, from: number): number {
  if (opening === '<!--') return head.indexOf('-->', from - 2)
  const end = new RegExp(`</${opening.slice(1)}`, 'gi')
  end.lastIndex = from
  return end.exec(head)?.index ?? -1
}

/** Returns the charset of `<meta charset=…>`, or of `<meta http-equiv="content-type" content="…charset=…">`. */
function readMetaCharset(attributes: string): string | undefined {
  const values = new Map<string, string>()
  for (const [, name = '', double, single, bare] of attributes.matchAll(
    /([^\s=/"'<>]{1,40})\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/g,
  ))
    values.set(name.toLowerCase(), double ?? single ?? bare ?? '')
  const inContent = /^content-type$/i.test(values.get('http-equiv')?.trim() ?? '')
    ? /charset\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:-]{2,40})/i.exec(values.get('content') ?? '')?.[1]
    : undefined
  return values.get('charset')?.trim() || inContent
}
