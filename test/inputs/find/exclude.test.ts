import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toSlashes } from '../../../src/core/document/document-path.ts'
import { type FindOptions, findDocuments } from '../../../src/inputs/find/find-documents.ts'
import { createFolder } from '../../support/run-cli.ts'
import { has } from '../../support/system.ts'

async function found(
  cwd: string,
  inputs: readonly string[],
  exclude: readonly string[],
  more: Partial<FindOptions> = {},
) {
  const { sources, ...rest } = await findDocuments(
    inputs.map((text) => ({ text, literal: false })),
    {
      cwd,
      env: { HOME: dirname(cwd) },
      extensions: ['md'],
      exclude: exclude.map((pattern) => ({ pattern, folder: cwd })),
      hidden: true,
      follow: false,
      ignoreFiles: false,
      ...more,
    },
  )
  return { ...rest, paths: sources.filter(({ problem }) => problem === undefined).map(({ path }) => path) }
}

describe.runIf(has.anyName)('--exclude with a folder', () => {
  /** Names of folders, many of which look like patterns, flags or paths. */
  const names = [
    'drafts',
    'my drafts',
    'Old (1)',
    '[id]',
    '{a,b}',
    'é',
    '.secret',
    '#1',
    '~',
    '!no',
    'a\\b',
    '-x',
    'a*b',
  ]
  const folders = ['docs/drafts/deeper', ...names.flatMap((name) => [`docs/${name}`, `docs/deep/${name}`])]
  const files = [...folders.map((folder) => `${folder}/note.md`), 'docs/top.md', 'docs/deep/middle.md']
  let home = ''
  let cwd = ''
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'claude-batch-exclude-'))
    cwd = join(home, 'work [1]')
    for (const file of files) {
      mkdirSync(dirname(join(cwd, file)), { recursive: true })
      writeFileSync(join(cwd, file), 'text')
    }
    symlinkSync(cwd, join(home, 'linked'))
    symlinkSync('docs', join(cwd, 'shortcut'))
  })
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  const below = (folder: string) => folder.replace(/^docs\//, '')
  /** Patterns that match one folder and no other. */
  const exactSpellings: readonly ((folder: string) => string)[] = [
    (folder) => folder,
    (folder) => `./${folder}`,
    (folder) => `.//${folder.replace('/', '//')}`,
    (folder) => `docs/../${folder}`,
    (folder) => `../${basename(cwd)}/${folder}`,
    (folder) => join(cwd, folder),
    (folder) => join(home, 'linked', folder),
    (folder) => `~/${basename(cwd)}/${folder}`,
    (folder) => `shortcut/${below(folder)}`,
    (folder) => `/${folder}`,
    (folder) => (folder.includes('\\') ? folder : folder.replaceAll('/', '\\')),
    (folder) => folder.toUpperCase(),
    (folder) => folder.normalize('NFD'),
    (folder) => (folder.includes('{') ? folder : `{nothing,${folder}}`),
    (folder) => `doc?/${below(folder)}`,
  ]
  /** Patterns that match the folder if `docs` is searched. */
  const searchedSpellings: readonly ((folder: string) => string)[] = [
    (folder) => `./${below(folder)}`,
    (folder) => `/${below(folder)}`,
  ]
  /** Patterns that match every folder of that name. */
  const looseSpellings: readonly ((folder: string) => string)[] = [
    (folder) => basename(folder),
    (folder) => `**/${basename(folder)}`,
    (folder) => `**/${below(folder)}`,
  ]
  const endings = ['', '/', '/**', '/**/', '/*', '/**/*']

  const searches = [
    () => ['docs'],
    () => [join(home, 'linked/docs')],
    () => ['shortcut'],
    () => ['docs/**/*.md'],
    () => ['docs', ...files],
  ]
  const inputs = [
    ...searches,
    () => ['.'],
    () => ['{docs,docs/deep}/**/*'],
    () => files,
    // fast-glob cannot start in a folder whose name contains a backslash.
    () => [...folders, ...files].filter((path) => path.includes('\\') === path.endsWith('.md')),
  ]
  const isIn = (path: string, folder: string) =>
    path.replace(/^.*?(docs|shortcut)\//, 'docs/').startsWith(`${folder}/`)
  const folder = fc.constantFrom(...folders)
  const ending = fc.constantFrom(...endings)

  it('excludes every file in the folder, for all spellings of the pattern and of the inputs', async () => {
    const spelling = fc.constantFrom(...exactSpellings, ...looseSpellings)
    const input = fc.constantFrom(...inputs)
    await fc.assert(
      fc.asyncProperty(
        folder,
        spelling,
        ending,
        input,
        fc.boolean(),
        async (folder, spell, end, input, follow) => {
          const { paths, warnings } = await found(cwd, input(), [`${spell(folder)}${end}`], { follow })
          expect([paths.filter((path) => isIn(path, folder)), warnings]).toEqual([[], []])
        },
      ),
      { numRuns: 80 },
    )
  })

  it('excludes the folder if the pattern is relative to a searched folder', async () => {
    const spelling = fc.constantFrom(...searchedSpellings)
    await fc.assert(
      fc.asyncProperty(
        folder,
        spelling,
        ending,
        fc.constantFrom(...searches),
        async (folder, spell, end, input) => {
          const { paths, warnings } = await found(cwd, input(), [`${spell(folder)}${end}`])
          expect([paths.filter((path) => isIn(path, folder)), warnings]).toEqual([[], []])
        },
      ),
      { numRuns: 40 },
    )
  })

  it('excludes nothing else if the pattern names one folder', async () => {
    const plain = fc.constantFrom(...folders.filter((folder) => !/[*?]/.test(folder)))
    const spelling = fc.constantFrom(...exactSpellings)
    await fc.assert(
      fc.asyncProperty(plain, spelling, fc.constantFrom('', '/', '/**'), async (folder, spell, end) => {
        const { paths } = await found(cwd, ['docs'], [`${spell(folder)}${end}`])
        expect(paths).toEqual(files.filter((path) => !isIn(path, folder)).sort())
      }),
      { numRuns: 40 },
    )
  })
})

const tree = {
  'docs/a.md': '',
  'docs/b.md': '',
  'docs/deep/b.md': '',
  'docs/deep/b.md.old.md': '',
  'docs/drafts/a.md': '',
  'notes/drafts/n.md': '',
}

describe('a pattern of --exclude', () => {
  it.each([
    ['b.md', ['docs/a.md', 'docs/deep/b.md.old.md', 'docs/drafts/a.md', 'notes/drafts/n.md']],
    [
      'docs/b.md',
      ['docs/a.md', 'docs/deep/b.md', 'docs/deep/b.md.old.md', 'docs/drafts/a.md', 'notes/drafts/n.md'],
    ],
    ['b.md/', Object.keys(tree)],
    ['*.{old,new}.md', ['docs/a.md', 'docs/b.md', 'docs/deep/b.md', 'docs/drafts/a.md', 'notes/drafts/n.md']],
    ['@(docs|notes)/drafts', ['docs/a.md', 'docs/b.md', 'docs/deep/b.md', 'docs/deep/b.md.old.md']],
    [
      'docs/!(a).md',
      ['docs/a.md', 'docs/deep/b.md', 'docs/deep/b.md.old.md', 'docs/drafts/a.md', 'notes/drafts/n.md'],
    ],
    ['{drafts,docs/deep}', ['docs/a.md', 'docs/b.md']],
    ['docs', ['notes/drafts/n.md']],
    ['[[:upper:]].md', ['docs/deep/b.md.old.md']],
    ['.', []],
    ['*', []],
    ['..', []],
  ])('%j keeps %j', async (pattern, expected) => {
    const cwd = await createFolder(tree)
    expect((await found(cwd, ['docs', 'notes'], [pattern])).paths).toEqual(expected)
    expect((await found(cwd, Object.keys(tree), [pattern])).paths).toEqual(expected)
  })

  it('is compared with absolute paths for files outside the working directory', async () => {
    const elsewhere = await createFolder({ 'drafts/a.md': '', 'drafts/deep/b.md': '', 'c.md': '' })
    const cwd = await createFolder({ 'x.md': '' })
    for (const input of [
      [elsewhere],
      ['drafts', 'drafts/deep/b.md', 'c.md'].map((path) => join(elsewhere, path)),
    ])
      expect((await found(cwd, input, ['drafts'])).paths).toEqual([toSlashes(join(elsewhere, 'c.md'))])
  })

  it('excludes the target of a followed link by the name of the link or the target', async () => {
    const cwd = await createFolder({ 'docs/drafts/a.md': '', 'docs/b.md': '' })
    symlinkSync('drafts', join(cwd, 'docs/shown'))
    const left = async (pattern: string) => (await found(cwd, ['docs'], [pattern], { follow: true })).paths
    expect(await left('docs/drafts/')).toEqual(['docs/b.md'])
    expect(await left('shown')).toEqual(['docs/b.md', 'docs/drafts/a.md'])
  })

  it('that names a link outside the input excludes its target', async () => {
    const cwd = await createFolder({ 'docs/drafts/a.md': '', 'docs/b.md': '' })
    symlinkSync('docs/drafts', join(cwd, 'private'))
    expect((await found(cwd, ['docs'], ['private/'])).paths).toEqual(['docs/b.md'])
  })

  it('that matches nothing is reported', async () => {
    const cwd = await createFolder(tree)
    const { warnings } = await found(cwd, ['docs'], ['drfats/', '*.nope', 'b.md', 'docs/nothing/*.md'])
    expect(warnings).toEqual(
      ['drfats/', '*.nope', 'docs/nothing/*.md'].map(
        (pattern) => `the exclude pattern ${JSON.stringify(pattern)} matches nothing; check its spelling`,
      ),
    )
  })

  it('is not reported if its matches were excluded by another rule or not searched', async () => {
    const files = {
      ...tree,
      '.gitignore': 'built\n*.log\n',
      'docs/.hidden/h.md': '',
      'docs/node_modules/p/readme.md': '',
      'docs/built/out/page.md': '',
      'docs/x.log': '',
      'docs/picture.png': '',
    }
    const cwd = await createFolder(files)
    const patterns = [
      '.hidden',
      'node_modules/p',
      'docs/built/out/*.md',
      'docs/drafts',
      'docs/drafts/*.md',
      '*.log',
      '*.png',
      'notes',
    ]
    const { warnings } = await found(cwd, ['docs'], patterns, { hidden: false, ignoreFiles: true })
    expect(warnings).toEqual([])
  })

  it('counts the excluded files and folders', async () => {
    const cwd = await createFolder({ ...tree, 'docs/drafts/picture.png': '', 'docs/b.png': '' })
    const counted = async (...inputs: string[]) => {
      const { skipped } = await found(cwd, inputs, ['drafts/', 'b.*'])
      return [...skipped].map(([type, { count, paths }]) => [type, count, paths])
    }
    expect(await counted('docs')).toEqual([
      ['excluded', 3, ['docs/b.md', 'docs/deep/b.md', 'docs/deep/b.md.old.md']],
      ['excluded_folder', 1, ['docs/drafts']],
    ])
    expect(await counted('docs', 'docs/**/*.md', '{docs,docs/deep}/*.md')).toEqual(await counted('docs'))
    expect(await counted('docs/*.md')).toEqual([['excluded', 1, ['docs/b.md']]])
    expect(await counted('docs/drafts', 'docs/b.md')).toEqual([
      ['excluded_folder', 1, ['docs/drafts']],
      ['excluded', 1, ['docs/b.md']],
    ])
  })

  it.each(['{a,b}'.repeat(11), '{1..2000}', '{1..100}{1..100}', '@(+(a)+(a))b'])(
    'is refused if it could take unbounded time: %s',
    async (pattern) => {
      const cwd = await createFolder({})
      await expect(found(cwd, ['.'], [pattern])).rejects.toMatchObject({ exit: 'usage' })
    },
  )
})
