import { spawnSync } from 'node:child_process'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder } from './support/run-cli.ts'

const root = resolve(import.meta.dirname, '..')
const script = join(root, 'scripts/release.js')
const missing = spawnSync('git', ['--version']).status !== 0

const changelog = '# Changelog\n\n## Unreleased\n\n### Added\n\n- A bell that rings at the end of a run.\n'
const formatJson = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

interface RepositoryOptions {
  readonly version?: string
  readonly changelog?: string
  readonly repository?: string
}

/** Creates a git repository with one commit on main, and functions that run git and the release script in it. */
async function createRepository(options: RepositoryOptions = {}) {
  const { version = '0.1.0', repository = 'https://git.example.org/claude-batch' } = options
  const packages = { '': { name: 'claude-batch', version }, 'node_modules/undici': { version: '7.30.2' } }
  const cwd = await createFolder({
    'package.json': formatJson({ name: 'claude-batch', version, repository: repository || undefined }),
    'package-lock.json': formatJson({ name: 'claude-batch', version, lockfileVersion: 3, packages }),
    'CHANGELOG.md': options.changelog ?? changelog,
  })
  const env = {
    PATH: process.env['PATH'],
    HOME: cwd,
    GIT_CONFIG_NOSYSTEM: '1',
    ...Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((who) => [
        [`GIT_${who}_NAME`, 'Ann Example'],
        [`GIT_${who}_EMAIL`, 'ann@example.org'],
      ]),
    ),
  }
  const run = (command: string, args: readonly string[]) =>
    spawnSync(command, args, { cwd, env, encoding: 'utf8' })
  const git = (...args: string[]) => {
    const { status, stdout, stderr } = run('git', args)
    expect(status, stderr).toBe(0)
    return stdout.trimEnd()
  }
  git('init', '--quiet', '--initial-branch', 'main')
  git('add', '.')
  git('commit', '--quiet', '--message', 'Start')
  const read = (file: string) => readFile(join(cwd, file), 'utf8')
  return { cwd, git, read, release: (...args: string[]) => run(process.execPath, [script, ...args]) }
}

describe.skipIf(missing)('the release script', () => {
  it('sets the version, dates the changelog, commits and tags, and publishes nothing', async () => {
    const { git, read, release } = await createRepository()
    const days = [new Date().toISOString().slice(0, 10)]
    const { status, stdout, stderr } = release('0.2.0')
    days.push(new Date().toISOString().slice(0, 10))
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain('Nothing is pushed or published.')
    expect(stdout).toContain('git push --follow-tags')

    const expected = days.map((day) =>
      changelog.replace('## Unreleased\n', `## Unreleased\n\n## 0.2.0 – ${day}\n`),
    )
    expect(expected).toContain(await read('CHANGELOG.md'))
    expect(JSON.parse(await read('package.json'))).toMatchObject({ version: '0.2.0' })
    expect(JSON.parse(await read('package-lock.json'))).toMatchObject({
      version: '0.2.0',
      packages: { '': { version: '0.2.0' }, 'node_modules/undici': { version: '7.30.2' } },
    })
    expect(git('status', '--porcelain')).toBe('')
    expect(git('log', '--format=%s')).toBe('Release 0.2.0\nStart')
    expect(git('cat-file', '-t', 'v0.2.0')).toBe('tag')
    expect(git('rev-parse', 'v0.2.0^{commit}')).toBe(git('rev-parse', 'HEAD'))
  })

  it.each([
    ['patch', '0.9.10'],
    ['minor', '0.10.0'],
    ['major', '1.0.0'],
  ])('calculates the next %s version', async (kind, version) => {
    const { git, release } = await createRepository({ version: '0.9.9' })
    expect(release(kind).stderr).toBe('')
    expect(git('tag')).toBe(`v${version}`)
  })

  it('releases the version in package.json if it was never released, and only then', async () => {
    const { git, read, release, cwd } = await createRepository()
    expect(release('0.1.0').stderr).toBe('')
    expect(git('tag')).toBe('v0.1.0')
    // A clone may lack the tag.
    git('tag', '--delete', 'v0.1.0')
    const text = await read('CHANGELOG.md')
    await writeFile(join(cwd, 'CHANGELOG.md'), text.replace('## Unreleased', '## Unreleased\n\n- More.'))
    git('commit', '--quiet', '--all', '--message', 'More')
    expect(release('0.1.0')).toMatchObject({ status: 1, stderr: expect.stringMatching(/^0\.1\.0 is not/) })
    expect(release('0.2.0').stderr).toBe('')
  })

  const released = '# Changelog\n\n## Unreleased\n\n## 0.1.0 – 2026-11-26\n\n- A bell.\n'
  it.each<[title: string, options: RepositoryOptions, version: string, message: string]>([
    ['without an entry in the changelog', { changelog: released }, '0.2.0', 'lists nothing under'],
    ['without a section for it', { changelog: '# Changelog\n' }, '0.2.0', 'lists nothing under'],
    ['without a repository', { repository: '' }, '0.2.0', 'has no repository'],
    ['of a lower version', { version: '0.10.0' }, '0.9.0', '0.9.0 is not higher than 0.10.0'],
  ])('refuses a release %s', async (_, options, version, message) => {
    const { git, release } = await createRepository(options)
    expect(release(version)).toMatchObject({ status: 1, stderr: expect.stringContaining(message) })
    expect([git('status', '--porcelain'), git('log', '--format=%s'), git('tag')]).toEqual(['', 'Start', ''])
  })

  it('lists all problems of the repository, and changes nothing', async () => {
    const { cwd, git, release } = await createRepository()
    git('switch', '--quiet', '--create', 'other')
    git('tag', 'v0.2.0')
    await writeFile(join(cwd, 'notes.md'), 'not committed\n')
    const { status, stderr } = release('0.2.0')
    expect([status, stderr.trimEnd().split('\n')]).toEqual([
      1,
      [
        'the working tree has changes; commit or stash them',
        'the current branch is not main; switch to it',
        'the tag v0.2.0 exists; choose a higher version',
      ],
    ])
    expect(git('status', '--porcelain')).toBe('?? notes.md')
  })

  it.each(['', '0.2', 'v0.2.0', '0.2.0-beta.1', '00.2.0', 'latest', '__proto__'])(
    'explains its use for the version "%s"',
    async (version) => {
      const { release } = await createRepository()
      expect(release(version)).toMatchObject({ status: 2, stderr: expect.stringMatching(/^usage: /) })
    },
  )

  it('changes nothing if the commit fails', async () => {
    const { cwd, git, release } = await createRepository()
    const hook = join(cwd, '.git/hooks/pre-commit')
    await writeFile(hook, '#!/bin/sh\necho "the hook refuses" >&2\nexit 1\n')
    await chmod(hook, 0o755)
    const { status, stderr } = release('0.2.0')
    expect(status).toBe(1)
    expect(stderr).toMatch(/the hook refuses[\s\S]*No release was made/)
    expect([git('status', '--porcelain'), git('log', '--format=%s'), git('tag')]).toEqual(['', 'Start', ''])
  })

  it('finds what it needs in this repository', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8')
    const { release } = await createRepository({ version, changelog })
    // Right after a release, there is nothing to release.
    expect(release('minor').stderr.replace(/^CHANGELOG\.md lists nothing.*\n/, '')).toBe('')
  })
})
