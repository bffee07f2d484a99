import { decodeCueText } from './cue-text.ts'

/**
 * Returns the words of subtitles (SubRip, WebVTT) without numbers, times, styles and notes. A speaker's name
 * precedes the first line of a speech. A line that the next cue repeats, as in live captions, is written
 * once.
 */
export function extractSubtitlesText(text: string): string {
  const lines = text.replace(/\r\n?|[\u2028\u2029]/g, '\n').split('\n')
  const timings = findTimings(lines)
  // Without a cue, the file is not subtitles but still a text.
  if (timings.length === 0) return text
  const isVtt = /^\ufeff?WEBVTT(?:\s|$)/.test(lines.find((line) => line.trim() !== '') ?? '')
  const kind = { isVtt, isNumbered: countNumbered(lines, timings) * 2 > timings.length }
  const spoken: string[] = []
  let speaker = ''
  const addLines = (content: readonly string[]) => {
    for (const line of content) {
      const decoded = decodeCueText(line, speaker)
      speaker = decoded.speaker
      if (decoded.text !== '' && spoken.at(-1) !== decoded.text) spoken.push(decoded.text)
    }
  }
  const [first] = timings
  if (first !== undefined && !isVtt) addLines(removeIdentifier(lines.slice(0, first.at), kind))
  for (const [index, { at, rest }] of timings.entries()) {
    const next = timings[index + 1]?.at
    const content = lines.slice(at + 1, next ?? lines.length)
    addLines([rest])
    addLines(removeOtherLines(next === undefined ? content : removeIdentifier(content, kind), kind))
  }
  return spoken.join('\n')
}

interface Timing {
  readonly at: number
  /** The text on the same line, after the times and the settings for the player. */
  readonly rest: string
}

function findTimings(lines: readonly string[]): readonly Timing[] {
  return lines.flatMap((line, at) => {
    const times = timingPattern.exec(line)?.[0]
    if (times === undefined) return []
    const rest = line.slice(times.length).trim()
    return [{ at, rest: rest.split(/\s+/).every((word) => settingPattern.test(word)) ? '' : rest }]
  })
}

/**
 * Matches `00:01:02,345 --> 00:01:04,000`, with or without hours and fractions, and the way some programs
 * write it: other separators, arrows and spaces.
 */
const timingPattern =
  /^\s{0,20}-?\d{1,4}(?:\s?[:.,;]\s?\d{1,4}){1,3}\s{0,20}(?:-{1,3}|–|—)?\s?(?:>|&gt;|→)\s{0,20}(?:-?\d{1,4}(?:\s?[:.,;]\s?\d{1,4}){1,3}|-?\d\S{0,30})(?=\s|$)/

/** Matches `align:start` and `X1:100`. */
const settingPattern = /^[a-z]{1,20}\d?:\S{1,200}$/i

function countNumbered(lines: readonly string[], timings: readonly Timing[]): number {
  return timings.filter(({ at }) => numberPattern.test(lines[findLastWords(lines, at)] ?? '')).length
}

/** Returns the last line before this one that is not empty. */
function findLastWords(lines: readonly string[], before: number): number {
  let at = before - 1
  while (at >= 0 && lines[at]?.trim() === '') at--
  return at
}

const numberPattern = /^\s*\ufeff?\d{1,9}[.:]?\s*$/

interface FileKind {
  readonly isVtt: boolean
  readonly isNumbered: boolean
}

/** Removes what names the next cue: a number, or in WebVTT any line right before its times. */
function removeIdentifier(content: readonly string[], { isVtt, isNumbered }: FileKind): readonly string[] {
  const last = findLastWords(content, content.length)
  const isNumber = isNumbered && numberPattern.test(content[last] ?? '')
  const isName = isVtt && last === content.length - 1 && last > 0 && content[last - 1]?.trim() === ''
  return isNumber || isName ? content.slice(0, last) : content
}

/**
 * Removes what follows a cue after an empty line: in WebVTT comments, styles and regions, otherwise the
 * number of a cue without times. Other lines belong to the cue, although the formats do not allow that.
 */
function removeOtherLines(content: readonly string[], { isVtt, isNumbered }: FileKind): readonly string[] {
  let isNote = false
  return content.filter((line, at) => {
    const isBlockStart = at > 0 && content[at - 1]?.trim() === ''
    if (isBlockStart && isVtt) isNote = /^\ufeff?(?:NOTE|STYLE|REGION|WEBVTT)(?:\s|$)/.test(line)
    const isNumber =
      isBlockStart && isNumbered && numberPattern.test(line) && (content[at + 1] ?? '').trim() !== ''
    return !isNote && !isNumber
  })
}
