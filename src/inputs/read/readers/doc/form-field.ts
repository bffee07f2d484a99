/** Kinds of form fields that have no text as their result. */
const [checkBox, choiceList] = [1, 2]

/** The result of a field for which its default counts. */
const noResult = 25

/**
 * Returns what a form field shows: `[x]`, `[ ]` or a choice; nothing for a field whose result is text.
 * @param at where its properties begin in the data stream
 */
export function readFormField(data: Buffer, at: number): string {
  try {
    return readField(data, at)
  } catch (error) {
    if (error instanceof RangeError) return ''
    throw error
  }
}

/** @throws RangeError beyond the end of the data */
function readField(data: Buffer, at: number): string {
  let next = at + data.readUInt16LE(at + 4)
  const flags = data.readUInt16LE(next + 4)
  const [kind, result] = [flags & 3, (flags >> 2) & 0x1f]
  if (kind !== checkBox && kind !== choiceList) return ''
  const skipText = () => {
    next += 4 + 2 * data.readUInt16LE(next)
  }
  next += 10
  skipText()
  const chosen = result === noResult ? data.readUInt16LE(next) : result
  if (kind === checkBox) return chosen === 1 ? '[x]' : '[ ]'
  next += 2
  for (let n = 0; n < textsBeforeChoices; n++) skipText()
  const count = data.readUInt16LE(next + 2)
  if (chosen >= count) return ''
  next += 6
  for (let n = 0; n < chosen; n++) next += 2 + 2 * data.readUInt16LE(next)
  return data.toString('utf16le', next + 2, next + 2 + 2 * data.readUInt16LE(next))
}

/** Format, help, status, and two macros. */
const textsBeforeChoices = 5
