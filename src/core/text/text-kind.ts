/**
 * What a text is to a tokenizer, which makes more tokens of the same length of code than of prose, and more still of
 * scripts that need a token per character.
 */
export const textKinds = ['prose', 'code', 'cjk'] as const
export type TextKind = (typeof textKinds)[number]

/** @param path tells the kind where the text is not at hand */
export function detectTextKind(path: string, text = ''): TextKind {
  const sample = text.slice(0, 4000)
  const cjkChars =
    sample.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu)?.length ?? 0
  if (cjkChars > sample.length / 5) return 'cjk'
  return proseExtension.test(path) || !/\.[a-z0-9]+$/i.test(path) ? 'prose' : 'code'
}

const proseExtension =
  /\.(md|markdown|mdx|txt|text|rst|adoc|asciidoc|org|tex|textile|wiki|html?|xhtml|srt|vtt|eml|pdf|docx|odt|odp|epub|pptx)$/i
