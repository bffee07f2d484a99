import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findDocuments } from '../../../../src/inputs/find/find-documents.ts'
import { parseGitConfig } from '../../../../src/inputs/find/git/git-config.ts'

const missing = spawnSync('git', ['--version']).status !== 0
if (missing) console.log('skipped: git is not installed')

/** Creates a folder for one group of tests, with functions to compare git and claude-batch in it. */
function createPlace() {
  const home = mkdtempSync(join(tmpdir(), 'claude-batch-git-'))
  const env = { HOME: home, GIT_CONFIG_NOSYSTEM: '1' }
  const git = (folder: string, ...args: string[]) =>
    execFileSync('git', args, {
      cwd: join(home, folder),
      env: { ...env, PATH: process.env['PATH'] },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  return {
    home,
    git,
    put(path: string, text: string) {
      mkdirSync(dirname(join(home, path)), { recursive: true })
      writeFileSync(join(home, path), text)
    },
    listedByGit: (folder: string) =>
      git(folder, 'ls-files', '-z', '--others', '--exclude-standard').split('\0').slice(0, -1).sort(),
    async found(folder: string) {
      const cwd = join(home, folder)
      const options = {
        cwd,
        env,
        extensions: [],
        exclude: [],
        hidden: true,
        follow: false,
        ignoreFiles: true,
      }
      const { sources } = await findDocuments([{ text: '**/*', literal: false }], options)
      return sources.map(({ path }) => path).sort()
    },
  }
}

/** Parts of patterns, many of which git treats specially. */
const part = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'ab', 'A', 'é', '.md', 'x', '*', '**', '?') },
  fc.constantFrom('[ab]', '[!a]', '[^b]', '[a-c]', '[A-Z]', '[]a]', '[a', '[é]'),
  fc.constantFrom('[[:alpha:]]', '[[:upper:]]', '[[:no:]]', '[\\]]', '***', '{a,b}'),
  fc.constantFrom('\\a', '\\*', '\\[', '\\!', '\\#', '\\ ', '\\', ' ', '!', '#'),
)
const segment = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(''))
const segments = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const before = fc.constantFrom('', '', '', '!', '/', '!/', '**/', '#')
const after = fc.constantFrom('', '', '', '/', '/**', '/*', ' ', '\\ ', '  ', '\r', '\t', '//')
const pattern = fc.oneof(
  fc.tuple(before, segments, after).map((parts) => parts.join('')),
  fc.constantFrom('a', '/a', 'b/', '*', '!*/', '!x.md', '/*', ''),
)
const patterns = fc.array(pattern, { maxLength: 5 }).map((lines) => lines.join('\n'))

describe.skipIf(missing)('ignore files, compared with the installed git', () => {
  const place = createPlace()
  const names = ['a', 'b', 'ab', 'A', 'é', 'a b', 'b ', 'x.md', '.h', '#a', '!b', '[', '*', 'a\\']
  const folders = ['', 'a/', 'b/', 'a/b/', 'a/b/ab/', 'B/', 'é/', 'x.md/']
  beforeAll(() => {
    place.git('', 'init', '-q', 'repo')
    // On a case-insensitive file system git sets it, which would override the user's setting.
    spawnSync('git', ['config', '--unset', 'core.ignoreCase'], { cwd: join(place.home, 'repo') })
    place.git('repo', 'config', 'core.excludesFile', '../of-user')
    const files = folders.flatMap((folder) => names.map((name) => folder + name))
    for (const file of files.filter((file) => !folders.includes(`${file}/`))) place.put(`repo/${file}`, '')
  })
  afterAll(() => rmSync(place.home, { recursive: true, force: true }))

  it('hide the same files for all patterns, places and settings of core.ignoreCase', async () => {
    const file = fc.constantFrom('repo/.gitignore', 'repo/a/.gitignore', 'repo/a/b/.gitignore')
    const rules = fc.dictionary(
      fc.oneof(file, fc.constantFrom('repo/.git/info/exclude', 'of-user')),
      patterns,
    )
    await fc.assert(
      fc.asyncProperty(rules, fc.boolean(), async (rules, ignoreCase) => {
        place.put('.gitconfig', `[core]\nignoreCase = ${ignoreCase}\n`)
        for (const path of ['.gitignore', 'a/.gitignore', 'a/b/.gitignore', '.git/info/exclude'])
          place.put(`repo/${path}`, rules[`repo/${path}`] ?? '')
        place.put('of-user', rules['of-user'] ?? '')
        expect(await place.found('repo')).toEqual(place.listedByGit('repo'))
      }),
      { numRuns: 60 },
    )
  })
})

describe.skipIf(missing)('repositories, compared with the installed git', () => {
  const place = createPlace()
  afterAll(() => rmSync(place.home, { recursive: true, force: true }))

  it('ignore the same files, also in linked working trees, submodules and neighbours', async () => {
    const { git, put } = place
    put(
      '.gitconfig',
      '[user]\nname = x\nemail = x@y.z\n[protocol "file"]\nallow = always\n[include]\npath = more',
    )
    put('more', '[includeIf "gitdir:~/main/"]\npath = for-main\n')
    put('for-main', '[core]\nexcludesFile = ~/of-main\n')
    put('of-main', 'of-main.md\n')
    put('.config/git/ignore', 'of-user.md\n')
    git('', 'init', '-q', 'lib')
    put('lib/.gitignore', 'lib.md\n')
    git('lib', 'add', '.')
    git('lib', 'commit', '-qm', 'x')
    git('', 'init', '-q', 'main')
    git('main', 'submodule', '-q', 'add', '../lib', 'sub')
    put('main/.gitignore', 'main.md\nsub/other.md\n')
    git('main', 'add', '.')
    git('main', 'commit', '-qm', 'x')
    git('main', 'worktree', 'add', '-q', '../side')
    put('main/.git/info/exclude', 'info.md\n')
    put('main/.git/modules/sub/info/exclude', 'of-sub.md\n')
    const folders = ['main', 'main/sub', 'side', 'lib']
    const names = ['a', 'of-main', 'of-user', 'lib', 'main', 'info', 'of-sub', 'other']
    for (const folder of folders) for (const name of names) put(`${folder}/${name}.md`, '')
    for (const folder of folders) {
      const tracked = new Set(git(folder, 'ls-files', '-z').split('\0'))
      const found = (await place.found(folder)).filter(
        (path) => !tracked.has(path) && !path.startsWith('sub/'),
      )
      expect([folder, found]).toEqual([folder, place.listedByGit(folder)])
    }
    const inSub = (await place.found('main')).filter((path) => path.startsWith('sub/') && path !== 'sub/.git')
    expect(inSub).toEqual(
      [...place.listedByGit('main/sub'), '.gitignore'].map((path) => `sub/${path}`).sort(),
    )
  })
})

describe.skipIf(missing)('configuration files, compared with the installed git', () => {
  const place = createPlace()
  afterAll(() => rmSync(place.home, { recursive: true, force: true }))

  it('have the same entries', () => {
    const piece = fc.constantFrom(
      'a',
      ' ',
      '  ',
      '"b c"',
      '"',
      '\\"',
      '\\\\',
      '\\n',
      '\\t',
      '#',
      ';',
      '\\\n',
      '=',
      '~/x',
    )
    const value = fc.array(piece, { maxLength: 6 }).map((parts) => parts.join(''))
    const line = fc.oneof(
      fc
        .tuple(fc.constantFrom('a', 'excludesFile', ' b-2'), fc.constantFrom('=', ' = ', ''), value)
        .map((it) => it.join('')),
      fc.constantFrom('[core]', '[Core "Sub \\" x"]', '[a.B]', '[x] k = v', '# note', '', '[', ']', '2 = x'),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), fc.constantFrom('\n', '\r\n'), (lines, end) => {
        place.put('config', ['[core]', ...lines, ''].join(end))
        const ours = entriesOf(() =>
          parseGitConfig(['[core]', ...lines, ''].join(end)).map(({ section, subsection, key, value }) => {
            const name = [section, ...(subsection === undefined ? [] : [subsection]), key].join('.')
            return value === undefined ? name : `${name}\n${value}`
          }),
        )
        const theirs = entriesOf(() =>
          place.git('', 'config', '-f', 'config', '-z', '--list').split('\0').slice(0, -1),
        )
        expect(ours).toEqual(theirs)
      }),
      { numRuns: 100 },
    )
  })

  function entriesOf(read: () => string[]): string[] | 'malformed' {
    try {
      return read()
    } catch {
      return 'malformed'
    }
  }
})
