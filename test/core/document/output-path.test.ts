import { resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rebasePath } from '../../../src/core/document/document-path.ts'
import { assignOutputPaths, isOutputOf, isSafeRelativePath } from '../../../src/core/document/output-path.ts'
import { describeForbiddenName } from '../../../src/core/document/windows-names.ts'
import { has } from '../../support/system.ts'

describe('isOutputOf', () => {
  const part = fc
    .oneof(
      fc.constantFrom(
        'a',
        'q:a',
        '\\x',
        'b.md',
        'A',
        '.hidden',
        'é',
        'x.~0123456789ab',
        'x.summary.md',
        '長'.repeat(85),
      ),
      fc.string({ minLength: 1, maxLength: 5 }).filter((text) => !/[/\0]|^\.\.?$/.test(text)),
    )
    .filter((name) => has.anyName || !/[\\:]/.test(name))
  const relative = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
  const path = fc.oneof(
    relative,
    relative.map((it) => `/${it}`),
    fc.constant('-'),
  )
  const paths = fc.uniqueArray(path, { minLength: 1, maxLength: 8 })
  const separators = fc.constantFrom(...(has.anyName ? ['/', '\\'] : ['\\']))

  it('accepts every name that assignOutputPaths assigns, including names that collide', () => {
    fc.assert(
      fc.property(
        paths,
        fc.boolean(),
        fc.boolean(),
        separators,
        (paths, caseInsensitive, structured, separator) => {
          const names = assignOutputPaths(
            paths.map((path) => ({ path })),
            { caseInsensitive, existingSummaries: [], separator },
          )
          for (const path of paths)
            for (const name of Object.values(names(path, structured)))
              expect([path, name, isOutputOf(name, path, '/w')]).toEqual([path, name, true])
        },
      ),
    )
  })

  it('accepts the name that a run in another working directory assigned to the document', () => {
    fc.assert(
      fc.property(relative, fc.constantFrom('', '..', '../docs', '../../elsewhere'), (path, here) => {
        const [out, there] = ['/w/x/summaries', '..']
        const { summary } = assignOutputPaths([{ path }], { caseInsensitive: false, existingSummaries: [] })(
          path,
        )
        const seen = rebasePath(out, here, there, path)
        expect([seen, isOutputOf(summary, seen, resolve(out, here))]).toEqual([seen, true])
      }),
    )
  })

  it('accepts the output name of a document whose file name looks as if it ends with a hash', () => {
    const paths = ['/x.~0123456789ab', 'x.~0123456789ab']
    const { summary } = assignOutputPaths(
      paths.map((path) => ({ path })),
      { caseInsensitive: false, existingSummaries: [] },
    )('x.~0123456789ab')
    expect(summary).toMatch(/^x\.~0123456789ab\.~[0-9a-f]{12}\.summary\.md$/)
    expect(isOutputOf(summary, 'x.~0123456789ab', '/w')).toBe(true)
  })

  it('accepts the name of a document in a folder named like a drive, relative to another folder', () => {
    const { summary } = assignOutputPaths([{ path: 'A:/a' }], {
      caseInsensitive: false,
      existingSummaries: [],
    })('A:/a')
    expect(isOutputOf(summary, '/w/x/A:/a', '/w')).toBe(true)
  })

  it.each([
    ['.git/config', '.git/config'],
    ['a.md', 'a.md'],
    ['', 'a.md'],
    ['.summary.md', ''],
    ['b.md.summary.md', 'a.md'],
    ['docs/a.md.summary.md', 'other/a.md'],
    ['a.md.~0123456789a.summary.md', 'a.md'],
    ['../a.md.summary.md', 'a.md'],
    ['/w/docs/a.md.summary.md', '/w/docs/a.md'],
    ['a.md\0.summary.md', 'a.md\0'],
    ['.claude-batch/recovered/a.md.summary.md', '.claude-batch/recovered/a.md'],
    ['.Claude-Batch/a.md.error.txt', '.Claude-Batch/a.md'],
  ])('does not accept %j for the document %j', (name, path) => {
    expect(isOutputOf(name, path, '/w')).toBe(false)
  })

  it('isSafeRelativePath rejects a name with a NUL', () => {
    expect(isSafeRelativePath('a\0b')).toBe(false)
  })
})

describe('assignOutputPaths on Windows', () => {
  const assign = (...paths: string[]) => {
    const options = { caseInsensitive: true, existingSummaries: [], separator: '\\' }
    const getOutputPaths = assignOutputPaths(
      paths.map((path) => ({ path })),
      options,
    )
    return paths.map((path) => getOutputPaths(path).summary)
  }

  it.each([
    ['docs/a.md', 'docs/a.md.summary.md'],
    ['C:/b.md', 'C/b.md.summary.md'],
    ['//server/share/b.md', 'server/share/b.md.summary.md'],
    ['//?/C:/docs/b.md', '_/C_/docs/b.md.summary.md'],
    ['docs/con.md', 'docs/con_.md.summary.md'],
    ['AUX', 'AUX_.summary.md'],
    ['nul/com1.tar.gz', 'nul_/com1_.tar.gz.summary.md'],
    ['lpt¹.md', 'lpt¹_.md.summary.md'],
    ['what: a "b"?|<c>*.md', 'what_ a _b____c__.md.summary.md'],
    ['tab\t.md', 'tab_.md.summary.md'],
    ['v1./notes /a.md', 'v1_/notes_/a.md.summary.md'],
    ['console.md', 'console.md.summary.md'],
    ['com10.md', 'com10.md.summary.md'],
    ['.hidden/a. b.md', '.hidden/a. b.md.summary.md'],
  ])('gives %s the name %s, which the ledger may name on every system', (path, name) => {
    expect(assign(path)).toEqual([name])
    expect(isOutputOf(name, path, '/w')).toBe(true)
  })

  it('gives two documents different names if they differ only in characters that Windows does not allow', () => {
    const [first, second] = assign('a?.md', 'a*.md')
    expect([first, second]).toEqual([
      'a_.md.summary.md',
      expect.stringMatching(/^a_\.md\.~\w{12}\.summary\.md$/),
    ])
  })

  it('keeps these characters on other systems', () => {
    const paths = ['con.md', 'a:b?.md', 'x./a.md']
    const options = { caseInsensitive: false, existingSummaries: [], separator: '/' }
    const getOutputPaths = assignOutputPaths(
      paths.map((path) => ({ path })),
      options,
    )
    expect(paths.map((path) => getOutputPaths(path).summary)).toEqual(
      paths.map((path) => `${path}.summary.md`),
    )
  })
})

describe('describeForbiddenName', () => {
  it.each([
    ['C:\\work\\out', undefined],
    ['\\\\server\\share\\out', undefined],
    ['\\\\?\\C:\\out', undefined],
    ['\\\\?\\UNC\\server\\share\\out', undefined],
    ['C:\\work\\nul', 'nul'],
    ['C:\\work\\con\\out', 'con'],
    ['C:\\work\\log.jsonl:hidden', 'log.jsonl:hidden'],
    ['C:\\work\\out.', 'out.'],
  ])('finds in %s the name %j', (path, name) => {
    const reason = name && `Windows does not allow the name ${JSON.stringify(name)}; use another one`
    expect([describeForbiddenName(path, '\\'), describeForbiddenName(path, '/')]).toEqual([reason, undefined])
  })
})

describe('isSafeRelativePath', () => {
  it.each(['a.md', 'docs/a..b.md', './-', 'x/.hidden'])('accepts %s', (name) =>
    expect(isSafeRelativePath(name)).toBe(true),
  )
  it.each(['/etc/x', '../x', 'a/../../x', '', 5, undefined])('rejects %s', (name) =>
    expect(isSafeRelativePath(name)).toBe(false),
  )
  it.each(['C:/x', 'C:\\x', '..\\x', '\\\\host\\x', '\\x', 'q:answers.md', 'a/b.md:hidden', 'a\\..\\b'])(
    'rejects %s on Windows only',
    (name) => expect([isSafeRelativePath(name, '\\'), isSafeRelativePath(name, '/')]).toEqual([false, true]),
  )
})
