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
  const fenced = /<(document-[0-9a-f]+)>\n([\s\S]*)\n<\/\1>/.exec(prompt)
  const document = plain((fenced?.[2] ?? prompt).slice(0, longestRead))
  const outside = fenced === null ? '' : prompt.replace(fenced[0], '')
  const sentences = best(sentencesOf(document))
  const bullets = /bullet/i.test(outside) && sentences.length > 1
  const body = bullets
    ? [sentences[0], ...sentences.slice(1).map((sentence) => `- ${sentence}`)].join('\n')
    : sentences.join(' ')
  return `[simulated] ${body || opening(document) || 'The document has no text.'}`
}

/** Without markup: front matter, code blocks, tags, rules, links' addresses. A document that is all code stays. */
function plain(text: string): string {
  const prose = text.replace(/^[ \t]*(```|~~~)[^\n]*\n[\s\S]*?^[ \t]*\1[ \t]*$/gm, '\n\n')
  return (
    (prose.trim() === '' ? text : prose)
      .replace(/^---\n[\s\S]*?\n---\n/, '')
      .replace(/<(script|style|nav|footer)\b[\s\S]*?<\/\1>/gi, ' ')
      .replace(/<!--[\s\S]*?-->|<[^<>]{1,200}>/g, ' ')
      .replace(/!?\[([^\]\n]{0,200})\]\([^)\n]{0,500}\)/g, '$1')
      // Headings and items of lists are sentences of their own.
      .replace(/^[ \t]*(#+|>|[*+-]|\d+[.)])[ \t]+/gm, '\n')
      .replace(/^[-=*_| :]{3,}$/gm, '\n')
      .replace(/[*_`]{1,3}/g, '')
  )
}

interface Sentence {
  readonly text: string
  readonly words: readonly string[]
  readonly order: number
}

function sentencesOf(text: string): Sentence[] {
  const sentences: Sentence[] = []
  // Paragraph by paragraph: a heading must not run into the sentence below it.
  for (const paragraph of text.split(/\n\s*\n/)) {
    for (const { segment } of bySentence.segment(paragraph.replace(/\s+/g, ' '))) {
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
