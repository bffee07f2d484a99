import { execFile, spawnSync } from 'node:child_process'
import { cp, lstat, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packPackage } from './support/packed-package.ts'
import { createFolder, startService } from './support/run-cli.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '..')
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
const npmVersion = spawnSync('npm', ['--version'], { encoding: 'utf8' }).stdout.trim()
/** From version 12, npm links no manual pages and needs a flag to install from git. */
const isNpm12 = Number.parseInt(npmVersion, 10) >= 12
const missing = (program: string) => spawnSync(program, ['--version']).error !== undefined

describe('the tarball, installed globally', () => {
  let prefix: string
  const installed = (...args: string[]) =>
    run('claude-batch', args, {
      env: { PATH: `${join(prefix, 'bin')}:${process.env['PATH']}`, HOME: prefix },
    })

  beforeAll(async () => {
    prefix = await mkdtemp(join(tmpdir(), 'claude-batch-installed-'))
    const tarball = await packPackage(prefix)
    await run('npm', ['install', '--global', '--prefix', prefix, '--offline', tarball])
  })

  afterAll(() => rm(prefix, { recursive: true }))

  it('has the command and its help', async () => {
    expect((await installed('--version')).stdout).toBe(`${version}\n`)
    expect((await installed('--help')).stdout).toContain('claude-batch summarize')
  })

  it('summarizes a document', async () => {
    const cwd = await createFolder({
      'a.md': '# The harbour\n\nThe board met and decided to dredge the channel.\n',
    })
    const { env, simulator } = await startService({})
    const PATH = `${join(prefix, 'bin')}:${process.env['PATH']}`
    await run('claude-batch', ['summarize', 'a.md', '-q'], { cwd, env: { PATH, ...env } })
    expect(simulator.stats().requests).toBe(1)
    expect(await readFile(join(cwd, 'summaries/a.md.summary.md'), 'utf8')).toContain('dredge')
  })

  it.skipIf(isNpm12)('has a manual page that man finds next to the command', async () => {
    const page = join(prefix, 'share/man/man1/claude-batch.1')
    const packed = join(prefix, 'lib/node_modules/claude-batch/dist/man/claude-batch.1')
    expect(await realpath(page)).toBe(packed)
    if (missing('man')) return
    const env = { PATH: `${join(prefix, 'bin')}:${process.env['PATH']}`, MANPAGER: 'cat' }
    expect((await run('man', ['-w', 'claude-batch'], { env })).stdout).toBe(`${packed}\n`)
    expect((await run('man', ['claude-batch'], { env })).stdout).toContain('summarize documents with Claude')
  })

  it.for(['bash', 'zsh', 'fish'])('prints a completion script that %s accepts', async (shell, { skip }) => {
    const { stdout } = await installed('completion', shell)
    expect(stdout).toContain('claude-batch')
    const script = join(prefix, shell)
    await writeFile(script, stdout)
    if (missing(shell)) skip(`${shell} is not installed`)
    const { status, stderr } = spawnSync(shell, ['-n', script], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
  })

  it('has at most 8 MB on disk', async () => {
    const files = await readdir(join(prefix, 'lib'), { recursive: true })
    const blocks = await Promise.all(
      files.map(async (file) => (await lstat(join(prefix, 'lib', file))).blocks),
    )
    expect(blocks.reduce((sum, count) => sum + 512 * count, 0)).toBeLessThanOrEqual(8_000_000)
  })
})

it('npm publish is refused as long as package.json has no repository', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  expect(scripts.prepublishOnly).toBe('node scripts/check-repository.js')
  const publish = async (fields: object) => {
    const cwd = await createFolder({ 'package.json': JSON.stringify(fields) })
    return spawnSync(process.execPath, [join(root, 'scripts/check-repository.js')], { cwd, encoding: 'utf8' })
  }
  expect(await publish({})).toMatchObject({ status: 1, stderr: expect.stringContaining('no repository') })
  expect(await publish({ repository: 'github:a/b' })).toMatchObject({ status: 0, stderr: '' })
})

// npm installs the development dependencies and builds the program up to three times.
it('a repository is built and installed by npm install --global git+file://…', async ({ skip }) => {
  const registry = await run('npm', ['ping', '--fetch-retries=0'], { timeout: 60_000 }).catch(() => undefined)
  if (registry === undefined)
    skip('the npm registry, from which npm installs the build tools, cannot be reached')
  const folder = await createFolder({})
  const repository = join(folder, 'repository')
  const git = (...args: string[]) => run('git', args, { cwd: folder, maxBuffer: 1e8 })
  const listing = [
    '-C',
    root,
    'ls-files',
    '-z',
    '--cached',
    '--others',
    '--exclude-standard',
    '--deduplicate',
  ]
  const files = (await git(...listing)).stdout.split('\0').filter((path) => path !== '')
  for (const path of files) await cp(join(root, path), join(repository, path)).catch(ignoreDeleted)
  const commit = ['-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '--quiet', '-m', 'All']
  for (const args of [['init', '--quiet'], ['add', '--force', '.'], commit])
    await git('-C', repository, ...args)
  const from = [`git+file://${repository}`, ...(isNpm12 ? ['--allow-git=all'] : [])]
  await run('npm', ['install', '--global', '--prefix', join(folder, 'global'), ...from])
  const { stdout } = await run(join(folder, 'global/bin/claude-batch'), ['--version'])
  expect(stdout).toBe(`${version}\n`)
  expect((await lstat(join(folder, 'global/lib/node_modules/claude-batch'))).isDirectory()).toBe(true)
}, 900_000)

/** A file that was deleted but not committed is still listed. */
function ignoreDeleted(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
