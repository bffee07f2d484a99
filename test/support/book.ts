/** Returns a chapter of about 1,900 characters. */
export const makeChapter = (n: number, what = 'much') =>
  `# Chapter ${n}\n\n${`Of voyage ${n} there is ${what} to tell, of ports and of weather. `.repeat(30)}\n\n`

/** Returns a book of 24 chapters; chapter `edited` has a changed text. */
export const makeBook = (edited?: number) =>
  Array.from({ length: 24 }, (_, n) => makeChapter(n + 1, n + 1 === edited ? 'more than ever' : 'much')).join(
    '',
  )

/** Flags with which a chunk contains about one chapter. */
export const chapterChunkFlags = ['--chunk-tokens', '1600']
