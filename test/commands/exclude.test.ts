import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runChecked } from '../support/run-checked.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const prose = (topic: string) =>
  `# About ${topic}\n\nThe harbour board met about ${topic} and decided to dredge the channel.\n`
const tree = {
  'docs/a.md': prose('ale'),
  'docs/b.md': prose('beer'),
  'docs/drafts/c.md': prose('cider'),
  'docs/drafts/deep/d.md': prose('dew'),
}

interface Run {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly config?: string
  /** The working directory, below the folder with the configuration file. */
  readonly folder?: string
}

/** Runs over `docs` or the given inputs, and counts the requests. */
async function run({ args = ['docs'], env = {}, config, folder = '' }: Run) {
  const files = config === undefined ? tree : { ...tree, 'claude-batch.yaml': config }
  const cwd = join(await createFolder(files), folder)
  const { env: service, simulator } = await startService({})
  const ended = await runChecked(['summarize', ...args], { cwd, env: { ...service, ...env } })
  return { ...ended, sent: simulator.stats().requests, written: Object.keys(ended.written).sort() }
}

describe('an excluded folder', () => {
  it.each<[string, Run]>([
    ['on the command line, with a trailing slash', { args: ['docs', '--exclude', 'drafts/'] }],
    ['on the command line, by its path', { args: ['docs', '--exclude', 'docs/drafts'] }],
    ['on the command line, with all its content', { args: ['docs', '--exclude', './docs/drafts/**'] }],
    ['next to files expanded by a shell', { args: [...Object.keys(tree), '--exclude', 'drafts'] }],
    ['next to a pattern', { args: ['docs/**/*.md', '--exclude', 'docs/drafts/'] }],
    ['in the environment', { env: { CLAUDE_BATCH_EXCLUDE: 'docs/drafts/' } }],
    ['in the environment, in one of several lines', { env: { CLAUDE_BATCH_EXCLUDE: 'nothing.md\ndrafts' } }],
    ['in the configuration file', { config: 'exclude: docs/drafts/**\n' }],
    [
      'in the configuration file of a parent folder',
      { config: 'exclude: [docs/drafts]\n', folder: 'docs', args: ['a.md', 'b.md', 'drafts'] },
    ],
    [
      'in a profile',
      { config: 'profiles: { public: { exclude: [drafts/] } }\n', args: ['docs', '--profile', 'public'] },
    ],
  ])('%s is never sent', async (_where, given) => {
    const { code, sent, written, stderr } = await run(given)
    const summaries = ['a.md.summary.md', 'b.md.summary.md']
    expect([code, sent, written.map((path) => path.replace('docs/', ''))]).toEqual([0, 2, summaries])
    expect(stderr).toMatch(/2 summarized, [12] skipped \([12] excluded( folder)?\b/)
  })

  it('is never sent and is counted if --files-from lists its documents', async () => {
    const cwd = await createFolder({ ...tree, list: Object.keys(tree).join('\n') })
    const { env, simulator } = await startService({})
    const args = ['summarize', '--files-from', 'list', '--exclude', 'drafts']
    const { code, stderr } = await runChecked(args, { cwd, env })
    expect([code, simulator.stats().requests]).toEqual([0, 2])
    expect(stderr).toMatch(/4: 2 summarized, 2 skipped \(2 excluded/)
  })

  it('may come from the configuration, the environment and the command line at the same time', async () => {
    const { code, sent, written } = await run({
      config: 'exclude: docs/a.md\nprofiles: { more: { exclude: docs/b.md } }\n',
      env: { CLAUDE_BATCH_EXCLUDE: 'deep' },
      args: ['docs', '--exclude', 'nothing.md', '--profile', 'more'],
    })
    expect([code, sent, written]).toEqual([0, 1, ['docs/drafts/c.md.summary.md']])
  })

  it('is a success without requests if it is the only input', async () => {
    const { code, sent, stderr } = await run({ args: ['docs/drafts', '--exclude', 'drafts'] })
    expect([code, sent]).toEqual([0, 0])
    expect(stderr).toContain('1: 0 summarized, 1 skipped (1 excluded folder: docs/drafts)')
  })

  it('is counted in a dry run, too', async () => {
    const cwd = await createFolder(tree)
    const args = ['summarize', 'docs', '--exclude', 'drafts/', '--exclude', 'a.md', '--dry-run', '--simulate']
    const { stdout } = await runInProcess(args, { cwd })
    expect(stdout).toContain('1 to summarize, 2 skipped (1 excluded, 1 excluded folder)')
  })
})

describe('an --exclude pattern that matches nothing', () => {
  const line = 'claude-batch: the exclude pattern "drfats/" matches nothing; check its spelling\n'

  it('is reported before any request, except with --quiet', async () => {
    const { code, stderr } = await run({ args: ['docs', '--exclude', 'drfats/'] })
    expect([code, stderr.startsWith(line)]).toEqual([0, true])
    const quiet = await run({ args: ['docs', '--exclude', 'drfats/', '-q'] })
    expect([quiet.code, quiet.stderr]).toEqual([0, ''])
  })

  it('is reported by compare, as is an input that matches nothing', async () => {
    const cwd = await createFolder(tree)
    const args = [
      'compare',
      'docs',
      '--models',
      'haiku,sonnet',
      '--exclude',
      'drfats/',
      '--exclude',
      'drafts',
      '--simulate',
    ]
    const { code, stderr } = await runInProcess([...args, '*.nope'], { cwd })
    expect([code, stderr]).toEqual([1, expect.stringContaining(line)])
    expect(stderr).toContain('claude-batch: no files match "*.nope"\n')
    expect(await readdir(join(cwd, 'comparison'))).not.toContain('drafts')
  })

  it('is rejected if it begins with an exclamation mark, because patterns cannot be negated', async () => {
    const { code, stderr, sent } = await run({ config: 'exclude: ["drafts", "!drafts/c.md"]\n' })
    expect([code, sent]).toEqual([2, 0])
    expect(stderr).toMatch(
      /^claude-batch: claude-batch.yaml:1:10: exclude: "!drafts\/c.md" begins with "!", .*"\.\/!drafts\/c.md"/,
    )
  })
})

describe('the git configuration', () => {
  it('is read from the environment of the run', async () => {
    const cwd = await createFolder({
      ...tree,
      '.git/HEAD': 'ref: refs/heads/main',
      '.git/objects/x': '',
      '.git/refs/x': '',
    })
    const home = await createFolder({ '.config/git/ignore': 'drafts/\n', '.gitconfig': '[core' })
    const { env, simulator } = await startService({})
    const { code, stderr } = await runChecked(['summarize', 'docs'], { cwd, env: { ...env, HOME: home } })
    expect([code, simulator.stats().requests]).toEqual([0, 2])
    expect(stderr).toContain(
      `claude-batch: the git configuration ${home}/.gitconfig is not used: line 1 is malformed\n`,
    )
  })
})
