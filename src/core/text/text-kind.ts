/**
 * The kinds of text that differ in tokens per character. Code has more tokens than prose of the same length.
 * Chinese, Japanese and Korean (`cjk`) have still more, about one per character.
 */
export const textKinds = ['prose', 'code', 'cjk'] as const
export type TextKind = (typeof textKinds)[number]

/**
 * Returns the kind of a text.
 * @param path of the document; its extension distinguishes prose from code
 * @param text the text or its beginning, if available
 */
export function detectTextKind(path: string, text = ''): TextKind {
  const sample = text.slice(0, 4000)
  // Searching for a script takes long, and all of these are above U+10FF.
  const mayBeCjk = /[^\0-\u10ff]/.test(sample)
  const cjkChars = mayBeCjk ? (sample.match(cjkCharacter)?.length ?? 0) : 0
  if (cjkChars > sample.length / 5) return 'cjk'
  return proseExtension.test(path) || !/\.[a-z0-9]+$/i.test(path) ? 'prose' : 'code'
}

const cjkCharacter = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu

const proseExtension =
  /\.(md|markdown|mdx|txt|text|rst|adoc|asciidoc|org|tex|textile|wiki|html?|xhtml|srt|vtt|eml|mbox|pdf|doc|do[ct][xm]|rtf|msg|o[dt][tp]|epub|pp[ts][xm]|pot[xm]|png|jpe?g|gif|webp|tiff?)$/i
