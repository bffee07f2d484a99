/** The words of a line of subtitles, with names before what other speakers say. */
export interface CueText {
  readonly text: string
  /** The last speaker, for the next line. */
  readonly speaker: string
}

/**
 * Returns the words of a line without tags and positions. A speaker's name is written where the speaker
 * changes. @param lastSpeaker the speaker of the line before
 */
export function decodeCueText(line: string, lastSpeaker: string): CueText {
  let speaker = lastSpeaker
  const named = line.replace(voicePattern, (_, name: string) => {
    const newSpeaker = decodeEntities(name).trim()
    if (newSpeaker === '' || newSpeaker === speaker) return ''
    speaker = newSpeaker
    return `${name.trim()}: `
  })
  const text = decodeEntities(named.replace(tagPattern, '').replace(/\\[Nh]|\\n(?![a-z])/g, ' '))
  return { text: text.trim(), speaker }
}

/** Matches `<v Ann>` and `<v.loud Ann>`. */
const voicePattern = /<v(?:\.[^ \t<>]{0,200})?[ \t]{1,20}([^<>]{1,200})>/gi

/** Matches tags such as `<i>`, `<c.yellow>` and `<00:00:01.000>`, and commands such as `{\an8}` and `{y:i}`. */
const tagPattern =
  /<\/?[a-z][^<>]{0,500}>|<\/?[a-z]{0,20}>|<\d[\d:.]{0,20}>|\{\\[^{}]{0,500}\}|\{\/?[a-z](?::[^{}]{0,100})?\}/gi

/** Returns a text with the entities of WebVTT decoded, and others that programs write. */
function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (found, decimal, hex, name) => {
    if (name !== undefined) return entities[name.toLowerCase()] ?? found
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    return code > 31 && code <= 0x10ffff ? String.fromCodePoint(code) : ''
  })
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  nbsp: ' ',
  quot: '"',
  apos: "'",
  lrm: '',
  rlm: '',
}
