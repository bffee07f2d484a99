// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { marked } from 'marked'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { SimulatorOptions } from '../../src/simulator/simulator.ts'
import { lintWorkflow, listMissing, noLinters, readExample, runCommand } from '../support/examples.ts'
import { packPackage } from '../support/packed-package.ts'
import { createFolder, startService } from '../support/run-cli.ts'

interface Step {
  readonly name?: string
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>
  readonly permissions: unknown
  readonly jobs: Readonly<
    Record<string, { readonly steps: readonly Step[]; readonly defaults: { readonly run: unknown } }>
  >
}

const name = 'github-pull-request.yml'
const workflow: Workflow = parse(readExample(name))
const steps = workflow.jobs['summarize']?.steps ?? []
const [install, checkout, summarize] = steps as [Step, Step, Step]
const missing = listMissing('bash', 'git', 'jq', 'find', 'npm')

describe(`the workflow ${name}`, () => {
  it('runs for pull requests without write access, and gives the key only to the step that needs it', () => {
    expect(Object.keys(workflow.on)).toEqual(['pull_request'])
    expect(workflow.permissions).toEqual({ contents: 'read' })
    expect(steps.map(({ env = {} }) => JSON.stringify(env).includes('secrets.'))).toEqual([
      false,
      false,
      true,
    ])
    expect(summarize.env).toEqual({ ANTHROPIC_API_KEY: '${{ secrets.ANTHROPIC_API_KEY }}' })
    expect(checkout.with).toEqual({ 'fetch-depth': 2, 'persist-credentials': false })
  })

  it('names other actions by commit, and has no expressions in scripts', () => {
    const used = steps.flatMap(({ uses }) => uses ?? [])
    expect(used.filter((action) => !/@[0-9a-f]{40}$/.test(action))).toEqual([])
    for (const { run = '' } of steps) expect(run).not.toContain('${{')
  })

  it.skipIf(noLinters)('is accepted by actionlint', async () => {
    const broken = readExample(name).replace('timeout-minutes', 'timeout')
    expect(await lintWorkflow(broken, name)).toHaveLength(1)
    expect(await lintWorkflow(readExample(name), name)).toEqual([])
  })

  it.skipIf(listMissing('shellcheck').length > 0)('has scripts that shellcheck accepts', async () => {
    for (const { run } of [install, summarize]) {
      // SC2185 does not know `find -files0-from`.
      const args = ['--shell=bash', '--exclude=SC2185', '-']
      const { stdout } = spawnSync('shellcheck', args, { input: run ?? '', encoding: 'utf8' })
      expect(stdout).toBe('')
    }
  })
})

/** Documents on the main branch. */
const before: Readonly<Record<string, string>> = {
  'docs/changed.md': 'The ferry leaves at nine.',
  'docs/renamed.md': 'The harbour has a keeper, who has a dog. It barks at the ferry and sleeps at noon.',
  'docs/deleted.md': 'The old timetable.',
  'docs/same.md': 'The tide is high at ten.',
  'docs/a link later.md': 'Now a file.',
}
/** Documents that the pull request adds. */
const added: readonly string[] = [
  'docs/it is "odd".md',
  'docs/観測 – été.md',
  'docs/-x.md',
  'docs/new\nline.md',
  'docs/sub folder/$(touch pwned);`touch pwned`.md',
]

describe.skipIf(missing.length > 0)(`the steps of ${name}`, () => {
  let folder: string

  const git = (cwd: string, ...args: string[]) => {
    const identity = ['-c', 'user.name=n', '-c', 'user.email=e', '-c', 'init.defaultBranch=main']
    const { status, stderr } = spawnSync('git', [...identity, ...args], { cwd, encoding: 'utf8' })
    expect(status, stderr).toBe(0)
  }
  const writeAll = async (cwd: string, files: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(cwd, path)), { recursive: true })
      await writeFile(join(cwd, path), `${text}\n`)
    }
  }

  /** Runs a step as the runner does, with `shell: bash`. */
  const runStep = async ({ run = '' }: Step, env: Readonly<Record<string, string>>, cwd: string) => {
    const script = join(folder, 'step.sh')
    await writeFile(script, run)
    const PATH = `${folder}/installed/bin:${dirname(process.execPath)}:${process.env['PATH']}`
    return runCommand('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], {
      cwd,
      env: { PATH, HOME: folder, ...env },
    })
  }

  /** Runs the step that summarizes, in a new temporary folder of the runner. */
  const runSummarize = async (options: SimulatorOptions, env: Readonly<Record<string, string>> = {}) => {
    const { simulator, env: serviceEnv } = await startService(options)
    const temp = await createFolder({ 'summary.md': '' })
    const workspace = join(folder, 'workspace')
    const page = join(temp, 'summary.md')
    const { code, stdout, stderr } = await runStep(
      summarize,
      {
        ...serviceEnv,
        RUNNER_TEMP: temp,
        GITHUB_STEP_SUMMARY: page,
        CI: 'true',
        ...env,
      },
      workspace,
    )
    const requests = simulator.stats().requests
    return { code, stdout, stderr, page: readFileSync(page, 'utf8'), requests }
  }

  beforeAll(async () => {
    expect(workflow.jobs['summarize']?.defaults.run).toEqual({ shell: 'bash' })
    folder = await mkdtemp(join(tmpdir(), 'claude-batch-test-'))
    const PACKAGE = await packPackage(folder)
    const settings = { npm_config_prefix: join(folder, 'installed'), npm_config_offline: 'true' }
    const installed = await runStep(install, { PACKAGE, ...settings }, folder)
    expect([installed.code, installed.stderr]).toEqual([0, expect.any(String)])

    const origin = join(folder, 'origin')
    await writeAll(origin, { ...before, '../secret.txt': 'hidden' })
    git(origin, 'init', '--quiet')
    git(origin, 'add', '.')
    git(origin, 'commit', '--quiet', '--message', 'before')
    git(origin, 'checkout', '--quiet', '-b', 'branch')
    await writeAll(origin, Object.fromEntries(added.map((path) => [path, `${path} is new.`])))
    await writeAll(origin, {
      'docs/changed.md': 'The ferry leaves at ten.',
      'other/a.md': 'x',
      'docs/a.png': '\0',
    })
    await rename(join(origin, 'docs/renamed.md'), join(origin, 'docs/moved.md'))
    for (const path of ['docs/deleted.md', 'docs/a link later.md']) await rm(join(origin, path))
    for (const path of ['docs/link.md', 'docs/a link later.md'])
      await symlink('../../secret.txt', join(origin, path))
    git(origin, 'add', '.')
    git(origin, 'commit', '--quiet', '--message', 'branch')
    git(origin, 'checkout', '--quiet', 'main')
    await writeAll(origin, { 'docs/same.md': 'Changed on main meanwhile.' })
    git(origin, 'commit', '--quiet', '--all', '--message', 'meanwhile')
    git(origin, 'merge', '--quiet', '--no-ff', 'branch')
    const depth = `--depth=${checkout.with?.['fetch-depth']}`
    git(folder, 'clone', '--quiet', depth, `file://${origin}`, 'workspace')
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('show a summary of each document that the pull request changes, and of no other file', async () => {
    const { code, page, requests, stdout } = await runSummarize({})
    expect([code, stdout]).toEqual([0, ''])
    const { headings } = renderPage(page)
    const changed = ['docs/changed.md', 'docs/moved.md', ...added.map((path) => path.replace('\n', ' '))]
    expect(headings.toSorted()).toEqual(changed.toSorted())
    expect(requests).toBe(changed.length)
    expect(page).not.toContain('hidden')
    expect(existsSync(join(folder, 'workspace/pwned'))).toBe(false)
  })

  it('show names and summaries as text, also if they contain Markdown and HTML', async () => {
    const text = [
      '# Heading <img src=x onerror=alert(1)> <script>alert(1)</script> &lt;b&gt;',
      '',
      '[link](https://evil.example) ![](https://evil.example/p.png) https://evil.example www.evil.example a@evil.example',
      '```',
      '::error::injected',
      '    indented\r# after a CR\r\n- item\n1. item\n> quote\n| a | b |\n|---|---|\n| c | d |',
      '<!-- comment *a* _b_ ~~c~~ $x$ \\ [ref]: https://evil.example',
    ].join('\n')
    const { code, page, stdout } = await runSummarize({
      script: () => ({ kind: 'answer', delayMs: 0, text }),
    })
    expect([code, stdout]).toEqual([0, ''])
    const { elements, text: shown } = renderPage(page)
    expect(elements).toEqual(new Set(['h3', 'p', 'br']))
    for (const line of text.split(/[\r\n]+/)) expect(shown).toContain(line.trim())
  })

  it('send nothing without a key, as in pull requests from forks', async () => {
    const { code, page, requests, stdout } = await runSummarize({}, { ANTHROPIC_API_KEY: '' })
    expect({ code, page, requests }).toEqual({ code: 0, page: '', requests: 0 })
    expect(stdout).toMatch(/^::notice::/)
  })

  it('send nothing if no document changed', async () => {
    const workspace = join(folder, 'workspace')
    git(workspace, 'commit', '--quiet', '--allow-empty', '--message', 'empty')
    const { code, page, requests } = await runSummarize({})
    git(workspace, 'reset', '--quiet', '--hard', 'HEAD^')
    expect({ code, page, requests }).toEqual({ code: 0, page: '', requests: 0 })
  })

  const fail = (status: number, when: (index: number) => boolean): SimulatorOptions => ({
    script: ({ index }) => (when(index) ? { kind: 'status', status } : { kind: 'answer', delayMs: 0 }),
  })
  const first = (index: number) => index === 0
  const all = () => true
  it.each([
    ['warn if a document has no summary', fail(400, first), {}, 0, /^::warning::Some documents/],
    [
      'warn after a limit',
      fail(400, first),
      { CLAUDE_BATCH_MAX_FAILURES: '1' },
      0,
      /^::warning::The run reached/,
    ],
    ['warn while the API is unavailable', fail(529, all), {}, 0, /^::warning::The API is unavailable/],
    ['fail if the API refuses the account', fail(401, all), {}, 4, /^$/],
    ['fail after a wrong setting', {}, { CLAUDE_BATCH_RETRIES: 'many' }, 2, /^$/],
  ])('%s', async (_, options, env, expectedCode, expectedStdout) => {
    const settings = { CLAUDE_BATCH_RETRIES: '0', CLAUDE_BATCH_MAX_WAIT: '1s', ...env }
    const { code, stdout, stderr } = await runSummarize(options, settings)
    expect(code, stderr).toBe(expectedCode)
    expect(stdout).toMatch(expectedStdout)
  })
})

/** Renders a page as GitHub does. @returns the names of its elements, its headings and its text */
function renderPage(page: string): {
  readonly elements: ReadonlySet<string>
  readonly headings: readonly string[]
  readonly text: string
} {
  const html = marked(page, { async: false }) as string
  const entities = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
  const toText = (part: string) =>
    part
      .replace(/<[^>]*>/g, '')
      .replace(/&(amp|lt|gt|quot|#39);/g, (_, entity: keyof typeof entities) => entities[entity])
  return {
    elements: new Set(Array.from(html.matchAll(/<\/?([a-z0-9]+|!--)/g), ([, element = '']) => element)),
    headings: Array.from(html.matchAll(/<h3>(.*?)<\/h3>/gs), ([, heading = '']) => toText(heading)),
    text: toText(html),
  }
}
