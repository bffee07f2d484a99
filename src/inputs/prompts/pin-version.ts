import { isMap, isScalar, parseDocument } from 'yaml'

/**
 * Returns the text of a prompt file with another `default:`. Comments, order and line ends stay unchanged.
 * @param version undefined removes the pin
 * @returns undefined if the YAML style of the file does not allow such an edit
 */
export function setPinnedVersion(text: string, version: string | undefined): string | undefined {
  const root = parseDocument(text, { uniqueKeys: false }).contents
  const [first] = isMap(root) && !root.flow ? root.items : []
  if (!isMap(root) || !isScalar(first?.key)) return undefined
  const pin = root.items.find(({ key }) => isScalar(key) && key.value === 'default')
  if (pin === undefined) {
    const insertAt = first.key.range?.[0]
    if (insertAt === undefined || version === undefined) return version === undefined ? text : undefined
    const lineBreak = text.includes('\r\n') ? '\r\n' : '\n'
    return `${text.slice(0, insertAt)}default: ${version}${lineBreak}${text.slice(insertAt)}`
  }
  if (!isScalar(pin.key) || !isScalar(pin.value)) return undefined
  const [keyRange, valueRange] = [pin.key.range, pin.value.range]
  if (!keyRange || !valueRange) return undefined
  if (version !== undefined) return text.slice(0, valueRange[0]) + version + text.slice(valueRange[1])
  // Removes the whole line: a comment after the pin is about the pin.
  const lineEnd = text.indexOf('\n', valueRange[1])
  return text.slice(0, keyRange[0]) + (lineEnd < 0 ? '' : text.slice(lineEnd + 1))
}
