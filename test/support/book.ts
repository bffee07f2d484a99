/** A chapter of about 1,900 characters. */
export const makeChapter = (n: number, what = 'much') =>
  `# Chapter ${n}\n\n${`Of voyage ${n} there is ${what} to tell, of ports and of weather. `.repeat(30)}\n\n`

/** 24 chapters, one of them perhaps edited. */
export const makeBook = (edited?: number) =>
  Array.from({ length: 24 }, (_, n) => makeChapter(n + 1, n + 1 === edited ? 'more than ever' : 'much')).join(
    '',
  )

/** Flags under which a chunk holds about one chapter. */
export const chapterChunkFlags = ['--chunk-tokens', '1600']
