import { describe, expect, it } from 'vitest'
import { locate } from '../../../src/core/document/locate.ts'
import { createMarkList, editMarked, joinMarked, type Mark } from '../../../src/core/document/mark.ts'
import { findLineMarks, findMarkdownHeadings } from '../../../src/core/document/markdown-headings.ts'

const text = 'x'.repeat(100)
const mark = (offset: number, kind: Mark['kind'], label: string): Mark => ({ offset, kind, label })

describe('locate', () => {
  it('returns the innermost position', () => {
    const marks = [
      mark(10, 'chapter', '1'),
      mark(20, 'chapter', '2'),
      mark(30, 'heading', 'Methods'),
      mark(40, 'chapter', '3'),
      mark(50, 'sheet', 'Budget'),
      mark(55, 'row', '1'),
      mark(60, 'row', '12'),
      mark(70, 'page', '3'),
      mark(80, 'slide', '4'),
    ]
    const at = (offset: number) => locate({ text, marks }, offset)
    expect(at(9)).toBeUndefined()
    expect(at(10)).toBe('chapter 1')
    expect(at(29)).toBe('chapter 2')
    expect(at(30)).toBe('chapter 2 › Methods')
    expect(at(40)).toBe('chapter 3')
    expect(at(54)).toBe('sheet Budget')
    expect(at(59)).toBe('sheet Budget, row 1')
    expect(at(69)).toBe('sheet Budget, row 12')
    expect(at(79)).toBe('page 3')
    expect(at(1000)).toBe('slide 4')
  })

  it('writes names as one short line, without characters that control a terminal', () => {
    const marks = [
      mark(0, 'sheet', 'Budget\n[1] page 9: "forged"\u001b\u202e'),
      mark(9, 'heading', 'x'.repeat(9000)),
    ]
    expect(locate({ text, marks }, 5)).toBe('sheet Budget [1] page 9: "forged"')
    expect(locate({ text, marks }, 9)?.length).toBeLessThan(300)
  })

  it('returns the section of a document that has only headings', () => {
    const marks = [mark(10, 'heading', 'Methods'), mark(20, 'heading', 'Results')]
    expect([5, 15, 25].map((offset) => locate({ text, marks }, offset))).toEqual([
      undefined,
      'section Methods',
      'section Results',
    ])
    expect(locate({ text, marks: [] }, 5)).toBeUndefined()
  })

  it('returns the line of plain text, and also the section of Markdown', () => {
    const lines = 'one\r\ntwo\n\n# Four\nfive'
    const at = (word: string, marks?: readonly Mark[]) =>
      locate({ text: lines, ...(marks && { marks }) }, lines.indexOf(word))
    expect(['one', 'two', '# Four', 'five'].map((word) => at(word))).toEqual([
      'line 1',
      'line 2',
      'line 4',
      'line 5',
    ])
    const marks = findLineMarks('notes.md', lines)
    expect([at('two', marks), at('five', marks)]).toEqual(['line 2', 'section Four, line 5'])
    expect(findLineMarks('notes.txt', lines)).toBeUndefined()
  })
})

describe('findMarkdownHeadings', () => {
  it('finds headings in both notations, and none in code or front matter', () => {
    const source = [
      '---',
      '# comment: yes',
      '---',
      '# One #',
      'a',
      '```sh',
      '# not this',
      '```',
      'Two',
      '===',
      '- item',
      '---',
      'Three',
      '---',
      '',
      '---',
      '#hashtag',
      '    # code',
      '~~~~',
      '# nor this',
      '~~~',
      '~~~~',
      '## ',
      '   ###### Six\r',
    ].join('\n')
    const headings = findMarkdownHeadings(source)
    expect(headings.map(({ label }) => label)).toEqual(['One', 'Two', 'Three', 'Six'])
    for (const { offset, label } of headings)
      expect(source.slice(offset).replace(/^[ #]+/, '')).toMatch(new RegExp(`^${label}`))
  })
})

describe('a list of marks', () => {
  it('drops rows and headings before pages, rather than only the later ones', () => {
    const list = createMarkList()
    for (let n = 0; n < 60_000; n++) {
      list.add(mark(2 * n, 'page', String(n)))
      list.add(mark(2 * n + 1, 'row', '1'))
    }
    expect(list.toMarks()).toHaveLength(60_000)
    for (let n = 60_000; n < 120_000; n++) list.add(mark(2 * n, 'page', String(n)))
    expect(list.toMarks()).toEqual([])
  })
})

describe('joinMarked', () => {
  it('moves the marks of each part, and leaves out parts without text', () => {
    const parts = [
      { text: 'cover' },
      { text: '', kind: 'page', label: '1' } as const,
      { text: 'a b', kind: 'page', label: '2', marks: [mark(2, 'heading', 'b')] } as const,
    ]
    expect(joinMarked(parts, '\n\n')).toEqual({
      text: 'cover\n\na b',
      marks: [mark(7, 'page', '2'), mark(9, 'heading', 'b')],
    })
  })
})

describe('editMarked', () => {
  it('keeps each mark at its part of the edited text', () => {
    const marks = [
      mark(0, 'page', '1'),
      mark(5, 'page', '2'),
      mark(5, 'heading', 'two'),
      mark(8, 'page', '3'),
    ]
    const shorten = (part: string) => part.replace(/x+/g, '-')
    expect(editMarked({ text: 'axxx twothree', marks }, shorten)).toEqual({
      text: 'a- twothree',
      marks: [mark(0, 'page', '1'), mark(3, 'page', '2'), mark(3, 'heading', 'two'), mark(6, 'page', '3')],
    })
    const marked = { text: 'abc', marks }
    expect(editMarked(marked, shorten)).toBe(marked)
    expect(editMarked({ text: 'axx', marks: [] }, shorten)).toEqual({ text: 'a-', marks: [] })
  })
})
