import { describe, expect, it } from 'vitest'
import { withoutMarkup } from '../src/claude/strip-markup.ts'
import { cutText } from '../src/core/chunking/chunk-text.ts'
import { titleOf } from '../src/core/document/document.ts'
import { failureLine } from '../src/core/errors/failure.ts'
import { verdictIn } from '../src/core/report/pairwise.ts'
import { printable } from '../src/core/text/escape-control.ts'
import { createRedactor } from '../src/core/text/redact.ts'
import { subtitlesText } from '../src/inputs/read/readers/subtitles.ts'
import { questionIn } from '../src/serve/question.ts'
import { extract } from '../src/simulator/extract.ts'
import { judged } from '../src/simulator/judge-answer.ts'
import { code, codeBlock, inline, table } from '../src/ui/markdown.ts'
import { workOf } from './support/work.ts'

const cue = '00:00:01.000 --> 00:00:02.000\n'
const { redact } = createRedactor(['a-secret-of-some-length'])

/** What is done to texts of documents, replies and requests, in the thread that answers everybody. */
const functions: Readonly<Record<string, (text: string) => unknown>> = {
  titleOf,
  cutText: (text) => cutText(text, 1000),
  failureLine: (message) => failureLine({ kind: 400, type: 'a', message, transient: false }),
  printable,
  redact,
  verdictIn,
  withoutMarkup,
  subtitlesText: (text) => subtitlesText(cue + text),
  questionIn: (text) => questionIn(JSON.stringify({ text: `x${text}` })),
  extract,
  extractWithin: (text) => extract(`<document-0123>\n${text}\n</document-0123>`),
  judged: (text) => judged(`${text}\nVERDICT: TIE`),
  code,
  codeBlock,
  inline,
  table: (text) => table(['a'], [[text]]),
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
      const short = workOf(() => run(textOf(2500)))
      const long = workOf(() => run(textOf(40_000)))
      // Sixteen times as much, and as much again for what comes between; its square would be 256 times.
      expect([shape, long < 100 * Math.max(short, 1)]).toEqual([shape, true])
    }
  })
})
