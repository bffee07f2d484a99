/** As much of a document as is looked at. */
const longestRead = 40_000
const mostWords = 90
/** More characters than any sentence has; the segmenter's time grows with the square of an unbroken run. */
const longestSentence = 1000

/**
 * An extractive summary worth reading: the sentences that say most by position and by the document's own frequent
 * words, in their order, in any script. A document without sentences gives its first lines. Marked as simulated.
 * @param prompt the user's text; the document is what stands between its `<document-…>` tags, if there are any
 */
export function extract(prompt: string): string {
  const fenced = inFence(prompt)
  const document = plain((fenced?.text ?? prompt).slice(0, longestRead))
  const sentences = best(sentencesOf(document))
  const bullets = /bullet/i.test(fenced?.around ?? '') && sentences.length > 1
  const body = bullets
    ? [sentences[0], ...sentences.slice(1).map((sentence) => `- ${sentence}`)].join('\n')
    : sentences.join(' ')
  return `[simulated] ${body || opening(document) || 'The document has no text.'}`
}

/** The first document that stands between its tags, and the prompt around it. */
function inFence(prompt: string): { readonly text: string; readonly around: string } | undefined {
  const open = /<(document-[0-9a-f]{1,64})>\n/.exec(prompt)
  if (open === null) return undefined
  const from = open.index + open[0].length
  const closing = `\n</${open[1]}>`
  const to = prompt.lastIndexOf(closing)
  if (to < from) return undefined
  return {
    text: prompt.slice(from, to),
    around: prompt.slice(0, open.index) + prompt.slice(to + closing.length),
  }
}

/** Without markup: front matter, code blocks, tags, rules, links' addresses. A document that is all code stays. */
function plain(text: string): string {
  const prose = withoutSpans(text, /^[ \t]*(```|~~~)[^\n]*\n/gm, (mark) => `^[ \\t]*${mark}[ \\t]*$`, '\n\n')
  const bare = (prose.trim() === '' ? text : prose).replace(/^---\n[\s\S]*?\n---\n/, '')
  const shown = withoutSpans(bare, /<(script|style|nav|footer)\b/gi, (name) => `</${name}>`, ' ')
  return (
    withoutSpans(shown, /<!--/g, () => '-->', ' ')
      .replace(/<[^<>]{1,200}>/g, ' ')
      .replace(/!?\[([^\]\n]{0,200})\]\([^)\n]{0,500}\)/g, '$1')
      // Headings and items of lists are sentences of their own.
      .replace(/^[ \t]*(#+|>|[*+-]|\d+[.)])[ \t]+/gm, '\n')
      .replace(/^[-=*_| :]{3,}$/gm, '\n')
      .replace(/[*_`]{1,3}/g, '')
  )
}

/**
 * Replaces what begins with one pattern and ends with another. What does not end is left, and its end is looked for
 * once only, so that the time grows with the length.
 * @param closingFor the pattern that ends it, by the first group of the one that begins it
 */
function withoutSpans(
  text: string,
  opening: RegExp,
  closingFor: (group: string) => string,
  replacement: string,
): string {
  const parts: string[] = []
  const neverClosed = new Set<string>()
  let at = 0
  for (let open = opening.exec(text); open !== null; open = opening.exec(text)) {
    const pattern = closingFor((open[1] ?? '').toLowerCase())
    if (neverClosed.has(pattern)) continue
    const closing = new RegExp(pattern, 'gim')
    closing.lastIndex = opening.lastIndex
    if (closing.exec(text) === null) {
      neverClosed.add(pattern)
    } else {
      parts.push(text.slice(at, open.index), replacement)
      at = closing.lastIndex
      opening.lastIndex = at
    }
  }
  return parts.join('') + text.slice(at)
}

interface Sentence {
  readonly text: string
  readonly words: readonly string[]
  readonly order: number
}

function sentencesOf(text: string): Sentence[] {
  const sentences: Sentence[] = []
  // Paragraph by paragraph: a heading must not run into the sentence below it.
  for (const piece of text
    .split(/\n\s*\n/)
    .flatMap((paragraph) => piecesOf(paragraph.replace(/\s+/g, ' ')))) {
    for (const { segment } of bySentence.segment(piece)) {
      if (segment.length > longestSentence) continue
      const words = [...byWord.segment(segment)]
        .filter(({ isWordLike }) => isWordLike)
        .map(({ segment }) => segment.toLowerCase())
      if (words.length >= 4 && words.length <= 60)
        sentences.push({ text: segment.trim(), words, order: sentences.length })
    }
    if (sentences.length > 400) break
  }
  return sentences
}

/** The segmenter looks at all of a text again for each sentence of it. */
const longestPiece = 4000

/** A long paragraph in pieces, which end with a sentence if they can. */
function piecesOf(paragraph: string): string[] {
  const pieces: string[] = []
  let from = 0
  while (paragraph.length - from > longestPiece) {
    const piece = paragraph.slice(from, from + longestPiece)
    const end = Math.max(
      ...['. ', '! ', '? ', '。', '！', '？'].map((mark) => piece.lastIndexOf(mark) + mark.length),
    )
    const length = end > longestPiece / 2 ? end : longestPiece
    pieces.push(piece.slice(0, length))
    from += length
  }
  return [...pieces, paragraph.slice(from)]
}

function best(sentences: readonly Sentence[]): string[] {
  const frequency = new Map<string, number>()
  for (const { words } of sentences)
    for (const word of words) if (meaningful(word)) frequency.set(word, (frequency.get(word) ?? 0) + 1)
  const score = ({ text, words, order }: Sentence) => {
    const said = new Set(words)
    let sum = 0
    for (const word of said) sum += Math.log1p(frequency.get(word) ?? 0)
    const place = order === 0 ? 2 : order < 5 ? 1.3 : 1
    return (sum / Math.sqrt(said.size + 4)) * place * (isProse(text) ? 1 : 0.3)
  }
  const ranked = [...sentences].sort((a, b) => score(b) - score(a)).slice(0, 40)
  const chosen: Sentence[] = []
  let length = 0
  for (const sentence of ranked) {
    if (chosen.length === 4) break
    if (chosen.some(({ text }) => text === sentence.text)) continue
    length += sentence.words.length
    if (chosen.length === 0 || length <= mostWords) chosen.push(sentence)
  }
  return chosen.sort((a, b) => a.order - b.order).map(({ text }) => text)
}

/** The first words of a document without sentences, on one line. */
function opening(document: string): string {
  // By code points: half of a character would not survive as UTF-8.
  const start = [...document.slice(0, longestSentence).replace(/\s+/g, ' ').trim()]
  return start.length <= 300 ? start.join('') : `${start.slice(0, 300).join('')}…`
}

/** Ends as sentences end in some script, and is not full of code's punctuation. */
function isProse(text: string): boolean {
  const symbols = text.match(/[{}()[\];=<>|\\/]/g)?.length ?? 0
  return /[.!?…。！？؟۔:»”"')]$/u.test(text) && symbols < text.length / 25
}

/** Short words of alphabets are mostly grammar; in scripts without spaces every word may mean something. */
function meaningful(word: string): boolean {
  return word.length > 4 || /[^\p{Script=Latin}\p{Script=Cyrillic}\d]/u.test(word)
}

const bySentence = new Intl.Segmenter('en', { granularity: 'sentence' })
const byWord = new Intl.Segmenter('en', { granularity: 'word' })
