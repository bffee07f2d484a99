import { describe, expect, it } from 'vitest'
import { readAs, readFixture } from '../../../support/read-as.ts'

describe('SubRip subtitles', () => {
  it('keep the words after an empty line, and have no numbers without empty lines', async () => {
    expect(await readFixture('srt-empty-line-in-cue.srt')).toBe(
      'First line.\nSTILL-THE-FIRST cue.\nSecond line.',
    )
    expect(await readFixture('srt-no-blank-lines.srt')).toBe('First line.\nSecond line.')
  })

  it.each([
    ['00:00:01.000 --> 00:00:02.000'],
    ['00:00:01 --> 00:00:02'],
    ['0:01,5 --> 0:02,5'],
    ['00 : 00 : 01 , 000 --> 00 : 00 : 02 , 000'],
    ['00:00:01,000 -> 00:00:02,000'],
    ['00:00:01,000 --&gt; 00:00:02,000'],
    ['00:00:01,000 --> 00:00:1d.000'],
    ['00:00:01,000 --> 00:00:02,000  X1:10 X2:200 Y1:5 Y2:10'],
  ])('may have times such as %s', async (times) => {
    expect(await readAs('x.srt', `1\n${times}\nFirst\n2\n${times}\nSecond\n`)).toBe('First\nSecond')
  })

  it('may have a byte-order mark, CRLF, ASS commands, tags and empty lines after numbers', async () => {
    const text =
      '\ufeff1\r\n\r\n00:00:01,000 --> 00:00:02,000\r\n{\\an8}<font color="#fff">Hello</font>,\\N&amp; <b>bye</b>\r\n\r\n{y:i}I <3 you\r\n'
    expect(await readAs('x.srt', text)).toBe('Hello, & bye\nI <3 you')
  })

  it('keep numbers that are part of the words, and have none of a cue without times', async () => {
    const text =
      '1\n00:00:01,000 --> 00:00:02,000\n42\n\n2\n00:00:02,000 --> 00:00:03,000\n43\n3\n00:00:03,000 --> 00:00:04,000\nx\n\n4\nno times\n'
    expect(await readAs('x.srt', text)).toBe('42\n43\nx\nno times')
    expect(await readAs('x.srt', '00:00:01,000 --> 00:00:02,000\n42\n00:00:02,000 --> 00:00:03,000\nx')).toBe(
      '42\nx',
    )
  })

  it('without any times are a text', async () => {
    expect(await readAs('x.srt', 'Just a text.\n')).toBe('Just a text.\n')
  })
})

describe('WebVTT subtitles', () => {
  it('have no identifiers, notes, styles, regions and settings', async () => {
    const text = [
      'WEBVTT - A title',
      'Kind: captions',
      '',
      'STYLE',
      '::cue { color: red }',
      '',
      'REGION',
      'id:fred',
      '',
      'NOTE a comment',
      'of two lines',
      '',
      'intro',
      '00:01.000 --> 00:02.000 position:10%,line-left align:left',
      '<v.loud Ann &amp; Co>Hi <c.yellow>there</c></v> <v Bob>Yo</v>',
      '',
      'second-cue',
      '00:03.000 --> 00:04.000',
      '<v Bob>Again',
      '',
      'AFTER-EMPTY-LINE',
      '',
      'NOTE',
      'hidden',
      '',
      '3',
      '00:05.000 --> 00:06.000',
      'this<00:05.500><c> is</c> 2 &lt; 3&nbsp;&#39;x&#39;',
    ].join('\n')
    expect(await readAs('x.vtt', text)).toBe(
      "Ann & Co: Hi there Bob: Yo\nAgain\nAFTER-EMPTY-LINE\nthis is 2 < 3 'x'",
    )
  })

  it('of live captions have each line once, also without empty lines and in several segments', async () => {
    const text =
      'WEBVTT\n\n00:01.000 --> 00:02.000 align:start\nyeah\n00:02.000 --> 00:03.000\nyeah\nwhat\n\nWEBVTT\nX-TIMESTAMP-MAP=MPEGTS:1\n\n00:03.000 --> 00:04.000\nwhat\nnow\n'
    expect(await readAs('x.vtt', text)).toBe('yeah\nwhat\nnow')
  })
})
