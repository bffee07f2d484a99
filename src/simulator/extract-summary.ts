/** As much of a document as is looked at. */
const maxReadChars = 40_000
const maxSummaryWords = 90
/** More characters than any sentence has; the segmenter's time grows with the square of an unbroken run. */
const maxSentenceChars = 1000

/**
 * An extractive summary worth reading: the sentences that say most by position and by the document's own frequent
 * words, in their order, in any script. A document without sentences gives its first lines. Marked as simulated.
 * @param prompt the user's text; the document is what stands between its `<document-…>` tags, if there are any
 */
export function extractSummary(prompt: string): string {
  const delimited = findDelimited(prompt)
  const document = stripMarkdown((delimited?.text ?? prompt).slice(0, maxReadChars))
  const sentences = pickBestSentences(splitSentences(document))
  const bullets = /bullet/i.test(delimited?.around ?? '') && sentences.length > 1
  const body = bullets
    ? [sentences[0], ...sentences.slice(1).map((sentence) => `- ${sentence}`)].join('\n')
    : sentences.join(' ')
  return `[simulated] ${body || takeOpening(document) || 'The document has no text.'}`
}

/** The first document that stands between its tags, and the prompt around it. */
function findDelimited(prompt: string): { readonly text: string; readonly around: string } | undefined {
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
function stripMarkdown(text: string): string {
  const prose = removeSpans(text, /^[ \t]*(```|~~~)[^\n]*\n/gm, (mark) => `^[ \\t]*${mark}[ \\t]*$`, '\n\n')
  const bare = (prose.trim() === '' ? text : prose).replace(/^---\n[\s\S]*?\n---\n/, '')
  const shown = removeSpans(bare, /<(script|style|nav|footer)\b/gi, (name) => `</${name}>`, ' ')
  return (
    removeSpans(shown, /<!--/g, () => '-->', ' ')
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
function removeSpans(
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

function splitSentences(text: string): Sentence[] {
  const sentences: Sentence[] = []
  // Paragraph by paragraph: a heading must not run into the sentence below it.
  for (const piece of text
    .split(/\n\s*\n/)
    .flatMap((paragraph) => splitParagraph(paragraph.replace(/\s+/g, ' ')))) {
    for (const { segment } of sentenceSegmenter.segment(piece)) {
      if (segment.length > maxSentenceChars) continue
      const words = [...wordSegmenter.segment(segment)]
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
const maxPieceChars = 4000

/** A long paragraph in pieces, which end with a sentence if they can. */
function splitParagraph(paragraph: string): string[] {
  const pieces: string[] = []
  let from = 0
  while (paragraph.length - from > maxPieceChars) {
    const piece = paragraph.slice(from, from + maxPieceChars)
    const end = Math.max(
      ...['. ', '! ', '? ', '。', '！', '？'].map((mark) => piece.lastIndexOf(mark) + mark.length),
    )
    const length = end > maxPieceChars / 2 ? end : maxPieceChars
    pieces.push(piece.slice(0, length))
    from += length
  }
  return [...pieces, paragraph.slice(from)]
}

function pickBestSentences(sentences: readonly Sentence[]): string[] {
  const frequency = new Map<string, number>()
  for (const { words } of sentences)
    for (const word of words) if (isMeaningful(word)) frequency.set(word, (frequency.get(word) ?? 0) + 1)
  const score = ({ text, words, order }: Sentence) => {
    const distinctWords = new Set(words)
    let sum = 0
    for (const word of distinctWords) sum += Math.log1p(frequency.get(word) ?? 0)
    const positionWeight = order === 0 ? 2 : order < 5 ? 1.3 : 1
    return (sum / Math.sqrt(distinctWords.size + 4)) * positionWeight * (isProse(text) ? 1 : 0.3)
  }
  const ranked = [...sentences].sort((a, b) => score(b) - score(a)).slice(0, 40)
  const chosen: Sentence[] = []
  let length = 0
  for (const sentence of ranked) {
    if (chosen.length === 4) break
    if (chosen.some(({ text }) => text === sentence.text)) continue
    length += sentence.words.length
    if (chosen.length === 0 || length <= maxSummaryWords) chosen.push(sentence)
  }
  return chosen.sort((a, b) => a.order - b.order).map(({ text }) => text)
}

/** The first words of a document without sentences, on one line. */
function takeOpening(document: string): string {
  // By code points: half of a character would not survive as UTF-8.
  const start = [...document.slice(0, maxSentenceChars).replace(/\s+/g, ' ').trim()]
  return start.length <= 300 ? start.join('') : `${start.slice(0, 300).join('')}…`
}

/** Ends as sentences end in some script, and is not full of code's punctuation. */
function isProse(text: string): boolean {
  const symbols = text.match(/[{}()[\];=<>|\\/]/g)?.length ?? 0
  return /[.!?…。！？؟۔:»”"')]$/u.test(text) && symbols < text.length / 25
}

/** Short words of alphabets are mostly grammar; in scripts without spaces every word may mean something. */
function isMeaningful(word: string): boolean {
  return word.length > 4 || /[^\p{Script=Latin}\p{Script=Cyrillic}\d]/u.test(word)
}

const sentenceSegmenter = new Intl.Segmenter('en', { granularity: 'sentence' })
const wordSegmenter = new Intl.Segmenter('en', { granularity: 'word' })
