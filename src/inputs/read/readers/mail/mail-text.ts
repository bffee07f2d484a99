/**
 * Returns the text of a mail without what no person reads: PGP signatures and keys, and files that are
 * written into the text with uuencode.
 */
export function cleanMailText(text: string): string {
  return removeUuencodedFiles(removePgpBlocks(text.replace(/\r\n?/g, '\n')))
}

/** Stands for encrypted content in the text of a mail. */
export const encryptedMark = '[encrypted]'

/** Keeps the text of signed messages. Of the other blocks, only encrypted ones leave a mark. */
function removePgpBlocks(text: string): string {
  if (!text.includes('-----BEGIN PGP ')) return text
  const kept: string[] = []
  let state: 'text' | 'block' | 'signed head' | 'signed' = 'text'
  for (const line of text.split('\n')) {
    const [, edge, kind] = /^-----(BEGIN|END) PGP ([A-Z ,/0-9]{1,40})-----[ \t]*$/.exec(line) ?? []
    if (edge === 'END') state = 'text'
    else if (edge === 'BEGIN' && kind === 'SIGNED MESSAGE') state = 'signed head'
    else if (edge === 'BEGIN') {
      state = 'block'
      if (kind?.startsWith('MESSAGE')) kept.push(encryptedMark)
    } else if (state === 'signed head') {
      if (line.trim() === '') state = 'signed'
    } else if (state === 'signed') kept.push(line.replace(/^- /, ''))
    else if (state === 'text') kept.push(line)
  }
  return kept.join('\n')
}

function removeUuencodedFiles(text: string): string {
  if (!/^begin [0-7]{3,4} \S/m.test(text)) return text
  const kept: string[] = []
  let file: string[] | undefined
  for (const line of text.split('\n')) {
    const name = /^begin [0-7]{3,4} (\S[^\n]{0,200})$/.exec(line)?.[1]
    if (file === undefined && name !== undefined) file = [line, `[attachment: ${name}]`]
    else if (file === undefined) kept.push(line)
    else if (line === 'end') {
      kept.push(file[1] ?? '')
      file = undefined
    } else if (!/^[ -`]{0,90}[ ]*$/.test(line)) {
      // Not an encoded file after all.
      kept.push(file[0] ?? '', ...file.slice(2), line)
      file = undefined
    } else file.push(line)
  }
  if (file !== undefined) kept.push(...(file.length > 2 ? file.slice(1, 2) : file.slice(0, 1)))
  return kept.join('\n')
}

/**
 * Returns the words of `text/enriched` and `text/richtext`: `<bold>` is a command, `<<` is a `<`, and a
 * single line break is a space.
 * @see https://www.rfc-editor.org/rfc/rfc1896
 */
export function extractEnrichedText(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/\n(\n*)/g, (_, more: string) => more || ' ')
    .replace(/<param>[^<]{0,1000}<\/param>/gi, '')
    .replace(/<<|<lt>|<nl>|<\/?[a-z][a-z0-9-]{0,59}>/gi, (found) => replacements[found.toLowerCase()] ?? '')
}

const replacements: Readonly<Record<string, string>> = { '<<': '<', '<lt>': '<', '<nl>': '\n' }
