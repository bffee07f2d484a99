/**
 * Returns a text with the words joined that are hyphenated at the end of a line. The hyphen stays if the text
 * has the word with it elsewhere, before a capital letter or a number, and in `pre- and postwar`.
 */
export function joinHyphens(text: string): string {
  const compounds = new Set(text.match(/\p{L}{1,60}[-\u2010]\p{L}{1,60}/gu))
  let joined = ''
  let from = 0
  for (const { 0: found, index } of text.matchAll(/[-\u2010\u00ad][ \t]*\n(?=[\p{L}\p{N}])/gu)) {
    const before = /[\p{L}\p{M}]{1,60}$/u.exec(text.slice(Math.max(from, index - 60), index))?.[0]
    const after = /^[\p{L}\p{M}\p{N}]{1,60}/u.exec(
      text.slice(index + found.length, index + found.length + 60),
    )?.[0]
    if (before === undefined || after === undefined || conjunctions.has(after)) continue
    const isSoft = found.startsWith('\u00ad')
    const isBroken = isSoft || (/^\p{Ll}/u.test(after) && !compounds.has(`${before}-${after}`))
    joined += text.slice(from, index) + (isBroken ? '' : found.slice(0, 1))
    from = index + found.length
  }
  // Inside a line, a soft hyphen of a PDF is a hyphen that is drawn.
  return (joined + text.slice(from)).replaceAll('\u00ad', '-')
}

/** After these words a hyphen stands for the rest of a compound. */
const conjunctions = new Set('and or und oder bzw sowie og och eller'.split(' '))
