import { describe, expect, it } from 'vitest'
import { stripMarkup } from '../src/claude/strip-markup.ts'
import { chunkText } from '../src/core/chunking/chunk-text.ts'
import { parseVerdict } from '../src/core/compare/pairwise.ts'
import { extractTitle } from '../src/core/document/document.ts'
import { formatFailure } from '../src/core/errors/failure.ts'
import { escapeControlChars } from '../src/core/text/escape-control-chars.ts'
import { createRedactor } from '../src/core/text/redact.ts'
import { extractSubtitlesText } from '../src/inputs/read/readers/subtitles.ts'
import { parseQuestion } from '../src/serve/parse-question.ts'
import { extractSummary } from '../src/simulator/extract-summary.ts'
import { simulateVerdict } from '../src/simulator/simulate-verdict.ts'
import { escapeMarkdown, renderCodeBlock, renderInlineCode, renderMarkdownTable } from '../src/ui/markdown.ts'
import { measureCpuMs } from './support/cpu-time.ts'

const cue = '00:00:01.000 --> 00:00:02.000\n'
const { redact } = createRedactor(['a-secret-of-some-length'])

/** What is done to texts of documents, replies and requests, in the thread that answers everybody. */
const functions: Readonly<Record<string, (text: string) => unknown>> = {
  titleOf: extractTitle,
  cutText: (text) => chunkText(text, 1000),
  failureLine: (message) => formatFailure({ kind: 400, type: 'a', message, transient: false }),
  printable: escapeControlChars,
  redact,
  verdictIn: parseVerdict,
  withoutMarkup: stripMarkup,
  subtitlesText: (text) => extractSubtitlesText(cue + text),
  questionIn: (text) => parseQuestion(JSON.stringify({ text: `x${text}` })),
  extract: extractSummary,
  extractWithin: (text) => extractSummary(`<document-0123>\n${text}\n</document-0123>`),
  judged: (text) => simulateVerdict(`${text}\nVERDICT: TIE`),
  code: renderInlineCode,
  codeBlock: renderCodeBlock,
  inline: escapeMarkdown,
  table: (text) => renderMarkdownTable(['a'], [[text]]),
}

/** What patterns tend to choke on: what begins many times and never ends, and long runs of one thing. */
const shapes = [
  ...['\n', ' ', '\t', '\r\n', '\n ', ' \n', 'a', 'a ', '"', 'A\'!"', '. ', '1.', '日'],
  ...['<', '<a', '<v ', '<v a', '<script>', '</script', '<!--', '<title>', '&', '<document-0123>\n'],
  ...[
    '<summary-0123456789abcdef>\n',
    '```x\n',
    '~~~\n',
    '---\n',
    '# ',
    '\n# ',
    '[',
    '[a](',
    '![',
    '](',
    '`',
    '\\',
    '|',
  ],
  ...['@', ':', 'a@', 'www.', '{\\', 'sk-ant-', 'Ab. ', "\nA'"],
]

describe.each(Object.keys(functions))('the work of %s', (name) => {
  it('grows with the length of a text, not with its square', () => {
    const run = functions[name] ?? expect.fail()
    for (const shape of shapes) {
      const textOf = (length: number) => `${shape.repeat(Math.ceil(length / shape.length))}x`
      const short = measureCpuMs(() => run(textOf(2500)))
      const long = measureCpuMs(() => run(textOf(40_000)))
      // Sixteen times as much, and as much again for what comes between; its square would be 256 times.
      expect([shape, long < 100 * Math.max(short, 1)]).toEqual([shape, true])
    }
  })
})
