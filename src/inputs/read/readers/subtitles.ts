/**
 * Returns the words of subtitles (SubRip, WebVTT) without numbers, times, styles and notes. A speaker's name
 * precedes the first line of a speech. A line that the next cue repeats, as in live captions, is written
 * once.
 */
export function extractSubtitlesText(text: string): string {
  const lines: string[] = []
  let speaker = ''
  for (const block of text.replace(/\r\n?/g, '\n').split(/\n[ \t]*\n/)) {
    const all = block.split('\n')
    const timingLine = all.findIndex((line) => timingPattern.test(line))
    if (timingLine === -1) continue
    for (const line of all.slice(timingLine + 1)) {
      const [, newSpeaker = ''] = /<v(?:\.[^ \t<>]{0,200})?[ \t]{1,20}([^<>]{1,200})>/.exec(line) ?? []
      const words = stripTags(line)
      if (words === '') continue
      const spoken = newSpeaker !== '' && newSpeaker !== speaker ? `${newSpeaker.trim()}: ${words}` : words
      if (newSpeaker !== '') speaker = newSpeaker
      if (lines.at(-1) !== spoken) lines.push(spoken)
    }
  }
  // Without a cue, the file is not subtitles but still a text.
  return lines.length === 0 ? text : lines.join('\n')
}

/** Matches `00:01:02,345 --> 00:01:04,000`, with or without hours; settings for the player may follow. */
const timingPattern = /^\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}\s*-->\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}/

function stripTags(line: string): string {
  return line
    .replace(/<[^<>]{0,200}>/g, '')
    .replace(/\{\\[^{}]{0,200}\}/g, '')
    .replace(/&(amp|lt|gt|nbsp|lrm|rlm);/g, (_, name: string) => entities[name] ?? '')
    .trim()
}

/** The entities of WebVTT that have a text. */
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', nbsp: ' ' }
