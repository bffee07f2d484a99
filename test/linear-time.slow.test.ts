import { describe, expect, it } from 'vitest'
import { stripMarkup } from '../src/claude/strip-markup.ts'
import { chunkText } from '../src/core/chunking/chunk-text.ts'
import { parseVerdict } from '../src/core/compare/pairwise.ts'
import { extractTitle } from '../src/core/document/document.ts'
import { findMarkdownHeadings } from '../src/core/document/markdown-headings.ts'
import { formatFailure } from '../src/core/errors/failure.ts'
import { escapeControlChars } from '../src/core/text/escape-control-chars.ts'
import { createRedactor } from '../src/core/text/redact.ts'
import { omitEncodedData } from '../src/inputs/read/omit-encoded-data.ts'
import { extractHtmlText } from '../src/inputs/read/readers/html-reader.ts'
import { identifyContent } from '../src/inputs/read/readers/identify-content.ts'
import { readAppointments } from '../src/inputs/read/readers/mail/calendar.ts'
import { cleanMailText, extractEnrichedText } from '../src/inputs/read/readers/mail/mail-text.ts'
import { findPlaceholderProblem } from '../src/inputs/read/readers/placeholder-file.ts'
import { extractSubtitlesText } from '../src/inputs/read/readers/subtitles.ts'
import { parseQuestion } from '../src/serve/parse-question.ts'
import { extractSummary } from '../src/simulator/extract-summary.ts'
import { simulateVerdict } from '../src/simulator/simulate-verdict.ts'
import { escapeMarkdown, renderCodeBlock, renderInlineCode, renderMarkdownTable } from '../src/ui/markdown.ts'
import { measureAsyncCpuMs, measureCpuMs } from './support/cpu-time.ts'

const cue = '00:00:01.000 --> 00:00:02.000\n'
const { redact } = createRedactor(['a-secret-of-some-length'])

/** Functions that process texts of documents, replies and requests in the main thread. */
const functions: Readonly<Record<string, (text: string) => unknown>> = {
  extractTitle,
  findMarkdownHeadings,
  identifyContent: (text) => identifyContent(Buffer.from(text)),
  findPlaceholderProblem: (text) => findPlaceholderProblem('x.md', Buffer.from(text.slice(0, 1000))),
  chunkText: (text) => chunkText(text, 1000),
  formatFailure: (message) => formatFailure({ kind: 400, type: 'a', message, transient: false }),
  escapeControlChars,
  redact,
  parseVerdict,
  stripMarkup,
  omitEncodedData,
  cleanMailText,
  extractEnrichedText,
  readAppointments: (text) => readAppointments(`BEGIN:VEVENT\n${text}\nEND:VEVENT`),
  extractSubtitlesText: (text) => extractSubtitlesText(cue + text),
  parseQuestion: (text) => parseQuestion(JSON.stringify({ text: `x${text}` })),
  extractSummary,
  'extractSummary within a delimiter': (text) => extractSummary(`<document-0123>\n${text}\n</document-0123>`),
  simulateVerdict: (text) => simulateVerdict(`${text}\nVERDICT: TIE`),
  renderInlineCode,
  renderCodeBlock,
  escapeMarkdown,
  renderMarkdownTable: (text) => renderMarkdownTable(['a'], [[text]]),
}

/** Texts that make backtracking patterns slow: many unclosed openings, and long runs of one token. */
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

describe.each(Object.keys(functions))('%s', (name) => {
  it('takes time linear in the length of a text', () => {
    const run = functions[name] ?? expect.fail()
    for (const shape of shapes) {
      const textOf = (length: number) => `${shape.repeat(Math.ceil(length / shape.length))}x`
      const short = measureCpuMs(() => run(textOf(2500)))
      const long = measureCpuMs(() => run(textOf(40_000)))
      // The text is 16 times as long. The limit leaves a margin for noise; quadratic time is a factor of 256.
      expect([shape, long < 100 * Math.max(short, 1)]).toEqual([shape, true])
    }
  })
})

describe('extractHtmlText', () => {
  const nested = [
    '<article>',
    '<x><template shadowrootmode=open>',
    '<noscript>',
    '<math><msup>',
    '<div class=comments>',
  ]
  const pieces = [
    '<p>a',
    '<br>',
    '<h2>a</h2><nav>b</nav>',
    '<a href=x>',
    '<meta charset=',
    '<frameset><noframes>',
    '<ruby>a<rt>b',
  ]

  it('takes time linear in the length of a page', async () => {
    for (const shape of [...shapes, ...pieces]) {
      const run = (length: number) => () =>
        extractHtmlText(`${shape.repeat(Math.ceil(length / shape.length))}x`, { page: true })
      const short = await measureAsyncCpuMs(run(2500))
      const long = await measureAsyncCpuMs(run(40_000))
      expect([shape, long < 100 * Math.max(short, 1)]).toEqual([shape, true])
    }
  })

  it('takes time linear in the content of deep elements', async () => {
    for (const shape of nested) {
      const run = (depth: number) => () =>
        extractHtmlText(`${shape.repeat(depth)}${'<p>a <a href=x>b</a>'.repeat(5000)}`, { page: true })
      const flat = await measureAsyncCpuMs(run(1))
      const deep = await measureAsyncCpuMs(run(4000))
      expect([shape, deep < 20 * Math.max(flat, 10)]).toEqual([shape, true])
    }
  })
})
