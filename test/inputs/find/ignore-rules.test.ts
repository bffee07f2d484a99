import { execFileSync } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type FindOptions, findDocuments } from '../../../src/inputs/find/find-documents.ts'
import { createFolder } from '../../support/run-cli.ts'
import { has } from '../../support/system.ts'

/** The files that git requires in a repository. */
const repository = (folder = '') =>
  Object.fromEntries(
    ['HEAD', 'objects/x', 'refs/x'].map((path) => [`${folder}.git/${path}`, 'ref: refs/heads/main']),
  )

async function found(cwd: string, inputs: readonly string[], more: Partial<FindOptions> = {}) {
  const { sources, warnings } = await findDocuments(
    inputs.map((text) => ({ text, literal: false })),
    {
      cwd,
      env: { HOME: join(cwd, 'home'), GIT_CONFIG_NOSYSTEM: '1' },
      extensions: ['md'],
      exclude: [],
      hidden: false,
      follow: false,
      ignoreFiles: true,
      ...more,
    },
  )
  return {
    warnings,
    paths: sources.filter(({ problem }) => problem === undefined).map(({ path }) => path),
    problems: sources.flatMap(({ path, problem }) => (problem === undefined ? [] : [[path, problem.type]])),
  }
}

const documents = (...paths: string[]) => Object.fromEntries(paths.map((path) => [path, 'text']))

describe('ignore files', () => {
  it('are case-sensitive unless the repository sets core.ignoreCase', async () => {
    const files = { ...repository(), ...documents('Secret.md', 'secret.md'), '.gitignore': 'secret.md\n' }
    const left = async (config: string) =>
      (await found(await createFolder({ ...files, '.git/config': config }), ['.'])).paths
    expect(await left('')).toEqual(['Secret.md'])
    expect(await left('[core]\n\tignorecase = true\n')).toEqual([])
  })

  it('of a repository and of the user have a lower priority than .gitignore, the user’s the lowest', async () => {
    const cwd = await createFolder({
      ...repository(),
      ...documents('a.md', 'b.md', 'c.md', 'd.md', 'sub/a.md'),
      'home/.config/git/ignore': 'a.md\nb.md\nc.md\n',
      '.git/info/exclude': '!b.md\nd.md\n/home\n',
      '.gitignore': '!c.md\n',
      'sub/.gitignore': '!a.md\n',
    })
    expect((await found(cwd, ['.'])).paths).toEqual(['b.md', 'c.md', 'sub/a.md'])
  })

  it.each([
    ['.gitconfig of the home folder', { 'home/.gitconfig': '[core]\nexcludesFile = ~/mine\n' }, {}],
    [
      'git/config of XDG_CONFIG_HOME',
      { 'xdg/git/config': '[core]\nexcludesFile = ~/mine\n' },
      { XDG_CONFIG_HOME: 'xdg' },
    ],
    ['git/ignore of XDG_CONFIG_HOME', { 'xdg/git/ignore': 'a.md\n' }, { XDG_CONFIG_HOME: 'xdg' }],
    [
      'file of GIT_CONFIG_GLOBAL',
      { 'home/global': '[core]\nexcludesFile = ~/mine\n' },
      { GIT_CONFIG_GLOBAL: 'home/global' },
    ],
    [
      'file of GIT_CONFIG_SYSTEM',
      { system: '[core]\nexcludesFile = ~/mine\n' },
      { GIT_CONFIG_SYSTEM: 'system', GIT_CONFIG_NOSYSTEM: undefined },
    ],
    [
      'configuration that another one includes',
      { 'home/.gitconfig': '[include]\npath = more\n', 'home/more': '[core]\nexcludesFile = ~/mine\n' },
      {},
    ],
    [
      'configuration for one repository',
      {
        'home/.gitconfig': '[includeIf "gitdir/i:**/REPO/"]\npath = more\n',
        'home/more': '[core]\nexcludesFile = ~/mine\n',
      },
      {},
    ],
    ['configuration of the repository', { 'repo/.git/config': '[core]\nexcludesFile = ../home/mine\n' }, {}],
  ])('of the user are found through the %s', async (_name, files, env) => {
    const cwd = await createFolder({
      ...repository('repo/'),
      ...documents('repo/a.md', 'repo/b.md', 'a.md'),
      'home/mine': 'a.md\n',
      ...(files as Record<string, string>),
    })
    const inRepository = { HOME: join(cwd, 'home'), GIT_CONFIG_NOSYSTEM: '1' }
    const placed = Object.fromEntries(
      Object.entries(env).map(([name, path]) => [name, path && (path === '1' ? path : join(cwd, path))]),
    )
    const { paths, warnings } = await found(cwd, ['.'], { env: { ...inRepository, ...placed } })
    expect([paths, warnings]).toEqual([['a.md', 'repo/b.md'], []])
  })

  it('of the user do not apply if they are for another repository or the setting is empty', async () => {
    const cwd = await createFolder({
      ...repository('repo/'),
      ...documents('repo/a.md', 'repo/b.md'),
      'home/.config/git/ignore': 'b.md\n',
      'home/.gitconfig': '[core]\nexcludesFile =\n[includeIf "gitdir:/elsewhere/"]\npath = more\n',
      'home/more': '[core]\nexcludesFile = ~/mine\n',
      'home/mine': 'a.md\n',
    })
    expect((await found(cwd, ['repo'])).paths).toEqual(['repo/a.md', 'repo/b.md'])
  })

  it('of a linked working tree and of a submodule are the same as in git', async () => {
    const cwd = await createFolder({
      ...repository('main/'),
      'main/.git/info/exclude': 'a.md\n',
      'main/.git/worktrees/side/HEAD': 'ref: refs/heads/side',
      'main/.git/worktrees/side/commondir': '../..\n',
      'main/.git/config': '[extensions]\nworktreeConfig = true\n',
      'main/.git/worktrees/side/config.worktree': '[core]\nignoreCase = true\n',
      'side/.git': `gitdir: ../main/.git/worktrees/side\n`,
      ...documents('side/A.md', 'side/b.md', 'main/A.md', 'main/a.md', 'main/sub/a.md', 'main/sub/b.md'),
      'main/.git/modules/sub/HEAD': 'ref: refs/heads/main',
      'main/.git/modules/sub/objects/x': '',
      'main/.git/modules/sub/refs/x': '',
      'main/.git/modules/sub/info/exclude': 'b.md\n',
      'main/sub/.git': 'gitdir: ../.git/modules/sub\n',
    })
    expect((await found(cwd, ['side', 'main'])).paths).toEqual(['main/A.md', 'main/sub/a.md', 'side/b.md'])
  })

  it('of a repository do not apply in a nested one, but .claude-batchignore does', async () => {
    const cwd = await createFolder({
      ...repository(),
      ...repository('inner/'),
      ...documents('a.md', 'inner/a.md', 'inner/b.md', 'inner/c.md'),
      '.gitignore': 'a.md\n',
      '.claude-batchignore': 'b.md\n',
      'inner/.gitignore': '!b.md\n',
    })
    for (const input of ['.', 'inner'])
      expect((await found(cwd, [input])).paths).toEqual(['inner/a.md', 'inner/c.md'])
  })

  it.each([
    ['an empty .git folder', { 'repo/.git/x': '' }],
    ['a .git file without a path', { 'repo/.git': 'nothing' }],
    ['a .git file with a missing target', { 'repo/.git': 'gitdir: /nowhere\n' }],
  ])('above %s apply, because it is not a repository', async (_name, files) => {
    const cwd = await createFolder({
      ...files,
      ...documents('repo/a.md', 'repo/b.md'),
      '.gitignore': 'a.md\n',
    } as Record<string, string>)
    expect((await found(cwd, ['repo'])).paths).toEqual(['repo/b.md'])
  })

  it('with the name .claude-batchignore override those of git, in any folder', async () => {
    const cwd = await createFolder({
      ...documents('a.md', 'sub/a.md', 'sub/b.md'),
      '.claude-batchignore': 'a.md\n!b.md\n',
      'sub/.gitignore': '!a.md\nb.md\n',
    })
    expect((await found(cwd, ['.'])).paths).toEqual(['sub/b.md'])
  })

  it('apply if Windows PowerShell wrote them in UTF-16 with CRLF', async () => {
    const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')
    const cwd = await createFolder({ ...repository(), ...documents('a.md', 'b.md', 'c.md') })
    await writeFile(join(cwd, '.gitignore'), utf16('a.md\r\n'))
    await writeFile(join(cwd, '.claude-batchignore'), utf16('b.md\r\n'))
    expect((await found(cwd, ['.'])).paths).toEqual(['c.md'])
  })

  it('that hide a named folder lose only the patterns that hide it', async () => {
    const cwd = await createFolder({
      ...documents('a/drafts/b.md', 'a/drafts/secret.md', 'a/drafts/deep/secret.md', 'a/drafts/deep/c.md'),
      '.gitignore': 'secret.md\na/*\ndrafts\n*\n',
    })
    const expected = ['a/drafts/b.md', 'a/drafts/deep/c.md']
    expect((await found(cwd, ['a/drafts'])).paths).toEqual(expected)
    expect((await found(cwd, ['a/drafts/**/*.md'])).paths).toEqual(expected)
  })

  it('apply to the target of a followed link, and to a folder that is named through a link', async () => {
    const cwd = await createFolder({
      ...repository(),
      ...documents('docs/drafts/a.md', 'docs/secret.md', 'docs/b.md'),
      '.gitignore': '/docs/drafts/\n/docs/secret.md\n',
    })
    await symlink('drafts', join(cwd, 'docs/shown'))
    await symlink('secret.md', join(cwd, 'docs/public.md'))
    await symlink('docs', join(cwd, 'other'))
    const followed = await found(cwd, ['docs'], { follow: true })
    expect([followed.paths, followed.problems]).toEqual([['docs/b.md'], [['docs/public.md', 'link']]])
    expect((await found(cwd, ['other'])).paths).toEqual(['other/b.md'])
  })

  it('match names by their bytes, as git does', async () => {
    const cwd = await createFolder({ ...documents('é.md', 'x.md'), '.gitignore': '?.md\n' })
    expect((await found(cwd, ['.'])).paths).toEqual(['é.md'])
    await writeFile(join(cwd, '.gitignore'), '??.md\n')
    expect((await found(cwd, ['.'])).paths).toEqual(['x.md'])
  })

  it('that are links do not apply, as in git, and are reported; folders of that name are ignored', async () => {
    const cwd = await createFolder({
      ...documents('a.md', 'sub/a.md', 'b.md', 'sub/.gitignore/x'),
      rules: 'a.md\n',
      ours: 'b.md\n',
    })
    await symlink('rules', join(cwd, '.gitignore'))
    await symlink('ours', join(cwd, '.claude-batchignore'))
    const { paths, warnings } = await found(cwd, ['.'])
    expect(paths).toEqual(['a.md', 'sub/a.md'])
    expect(warnings).toEqual([
      `${join(cwd, '.gitignore')} is a symbolic link, which git does not follow, so its rules do not apply`,
    ])
  })

  it('that cannot be used fail their folder, also in a nested repository', async () => {
    const cwd = await createFolder({
      ...repository('repo/'),
      ...documents('a.md', 'repo/b.md', 'long/c.md'),
      'repo/.git/config': '[core]\nexcludesFile = ../huge\n',
      huge: Buffer.alloc(1_000_001),
      'long/.gitignore': `${'x'.repeat(5000)}\n`,
    })
    const { paths, problems } = await found(cwd, ['.'])
    expect([paths, problems]).toEqual([
      ['a.md'],
      [
        ['long', 'unusable_rules'],
        ['repo', 'unusable_rules'],
      ],
    ])
    await expect(found(cwd, ['repo/**/*.md'])).resolves.toMatchObject({
      problems: [['repo', 'unusable_rules']],
    })
  })

  it.each([
    ['malformed', '[core\n'],
    ['huge', Buffer.alloc(1_000_001)],
  ])('apply even if the configuration is %s, which is reported', async (_name, config) => {
    const cwd = await createFolder({
      ...repository(),
      ...documents('a.md', 'b.md'),
      '.git/config': config,
      '.git/info/exclude': 'a.md\n',
    })
    const { paths, warnings } = await found(cwd, ['.'])
    expect(paths).toEqual(['b.md'])
    expect(warnings).toEqual([
      expect.stringMatching(
        /^the git configuration .*\.git[/\\]config is not used: (line 1 is malformed|larger than 1 MB)$/,
      ),
    ])
  })

  it.runIf(has.pipes)(
    'never block: a pipe as configuration is reported, and /dev/null has no patterns',
    async () => {
      const cwd = await createFolder({
        ...repository(),
        ...documents('a.md', 'b.md'),
        '.git/config': '[core]\nexcludesFile = /dev/null\n',
        '.gitignore': 'a.md\n',
      })
      await mkdir(join(cwd, 'home'))
      execFileSync('mkfifo', [join(cwd, 'home/.gitconfig'), join(cwd, '.git/info')])
      const { paths, warnings } = await found(cwd, ['.'])
      expect([paths, warnings]).toEqual([
        ['b.md'],
        [`the git configuration ${join(cwd, 'home/.gitconfig')} is not used: not a regular file`],
      ])
    },
  )

  it('take little time, even with patterns that are designed to be slow', async () => {
    const deep = `${'x/'.repeat(60)}e.md`
    const cwd = await createFolder({
      ...documents(deep, `${'a'.repeat(200)}.md`),
      '.gitignore': `${'x/**/'.repeat(12)}y\n${'*a'.repeat(100)}b\n${'**/'.repeat(1000)}z\n`,
    })
    expect((await found(cwd, ['.'])).paths).toEqual([`${'a'.repeat(200)}.md`, deep])
  })
})
