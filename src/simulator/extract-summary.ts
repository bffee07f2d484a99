/** How much of a document is read. */
const maxReadChars = 40_000
const maxSummaryWords = 90
/**
 * More characters than any sentence has. The segmenter's time grows quadratically with the length of an
 * unbroken run.
 */
const maxSentenceChars = 1000

/**
 * Returns a readable extractive summary: the sentences with the best scores for position and for the
 * document's frequent words, in their order, in any script. For a document without sentences, it uses the
 * first lines. The summary is marked as simulated.
 * @param prompt the user's text; the document is the text between its `<document-…>` tags, or else the whole
 * prompt
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

/** Returns the first document between its tags, and the prompt around it. */
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

/**
 * Removes markup: front matter, code blocks, tags, rules and link addresses. A document that consists only of
 * code keeps its code.
 */
function stripMarkdown(text: string): string {
  const prose = removeSpans(text, /^[ \t]*(```|~~~)[^\n]*\n/gm, (mark) => `^[ \\t]*${mark}[ \\t]*$`, '\n\n')
  const bare = (prose.trim() === '' ? text : prose).replace(/^---\n[\s\S]*?\n---\n/, '')
  const shown = removeSpans(bare, /<(script|style|nav|footer)\b/gi, (name) => `</${name}>`, ' ')
  return (
    removeSpans(shown, /<!--/g, () => '-->', ' ')
      .replace(/<[^<>]{1,200}>/g, ' ')
      .replace(/!?\[([^\]\n]{0,200})\]\([^)\n]{0,500}\)/g, '$1')
      // Headings and list items become separate sentences.
      .replace(/^[ \t]*(#+|>|[*+-]|\d+[.)])[ \t]+/gm, '\n')
      .replace(/^[-=*_| :]{3,}$/gm, '\n')
      .replace(/[*_`]{1,3}/g, '')
  )
}

/**
 * Replaces spans that begin with one pattern and end with another. Unclosed spans remain, and each missing
 * end is searched only once, so that the time is linear.
 * @param closingFor returns the end pattern, given the first group of the start pattern
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
  // Splits by paragraph, so that a heading does not run into the sentence below it.
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

/** For each sentence, the segmenter scans the whole text again, so it gets short pieces. Characters. */
const maxPieceChars = 4000

/** Splits a long paragraph into pieces, at the end of a sentence if possible. */
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

/** Returns the first words of a document without sentences, on one line. */
function takeOpening(document: string): string {
  // Splits by code points, because a lone surrogate cannot be encoded as UTF-8.
  const start = [...document.slice(0, maxSentenceChars).replace(/\s+/g, ' ').trim()]
  return start.length <= 300 ? start.join('') : `${start.slice(0, 300).join('')}…`
}

/** Whether a text ends like a sentence in some script and has little code punctuation. */
function isProse(text: string): boolean {
  const symbols = text.match(/[{}()[\];=<>|\\/]/g)?.length ?? 0
  return /[.!?…。！？؟۔:»”"')]$/u.test(text) && symbols < text.length / 25
}

/**
 * Whether a word counts for the score. Short words of alphabets are mostly function words; in scripts without
 * spaces, every word counts.
 */
function isMeaningful(word: string): boolean {
  return word.length > 4 || /[^\p{Script=Latin}\p{Script=Cyrillic}\d]/u.test(word)
}

const sentenceSegmenter = new Intl.Segmenter('en', { granularity: 'sentence' })
const wordSegmenter = new Intl.Segmenter('en', { granularity: 'word' })
