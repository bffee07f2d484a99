/**
 * The words of subtitles (SubRip, WebVTT) without numbers, times, styles and notes. Who speaks stands before what he
 * says, once; a line that is shown again by the next cue, as live captions do, stands once.
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
  // No cue at all: whatever it is, it is no less of a text.
  return lines.length === 0 ? text : lines.join('\n')
}

/** `00:01:02,345 --> 00:01:04,000`, with hours or without, and whatever a player is told after it. */
const timingPattern = /^\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}\s*-->\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}/

function stripTags(line: string): string {
  return line
    .replace(/<[^<>]{0,200}>/g, '')
    .replace(/\{\\[^{}]{0,200}\}/g, '')
    .replace(/&(amp|lt|gt|nbsp|lrm|rlm);/g, (_, name: string) => entities[name] ?? '')
    .trim()
}

/** All that WebVTT knows. */
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', nbsp: ' ' }
