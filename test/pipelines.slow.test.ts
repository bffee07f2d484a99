import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addCommands, runShell, type ShellResult } from './support/run-shell.ts'

const page = readFileSync(resolve(import.meta.dirname, '../docs/pipelines.md'), 'utf8')
const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = '']) => text)
const missing = ['bash', 'git', 'jq', 'find'].filter((name) => spawnSync(name, ['--version']).status !== 0)

/** Creates a git repository with a branch that changes one document and adds one with quotes in its name. */
async function fill(cwd: string): Promise<void> {
  for (const folder of ['docs', 'notes']) await mkdir(join(cwd, folder), { recursive: true })
  const files = {
    'notes.md': '# Notes\n\nThe ferry leaves at nine.\n',
    'notes/b.md': 'The tide is high at ten.\n',
    'docs/a.md': 'The harbour has a keeper.\n',
    'docs/it is "odd".md': 'The keeper has a dog.\n',
    'docs/c.md': 'The dog sleeps.\n',
  }
  for (const [path, text] of Object.entries(files)) await writeFile(join(cwd, path), text)
  await addCommands(cwd)
  const setUp = `git init -q -b main; git add docs/a.md docs/c.md notes* && git -c user.name=n -c user.email=e commit -qm x
    git checkout -q -b branch; echo 'It barks.' >> docs/c.md; git add docs`
  expect(spawnSync('bash', ['-ec', setUp], { cwd }).status).toBe(0)
}

interface Done extends ShellResult {
  readonly cwd: string
}

describe.skipIf(missing.length > 0)('docs/pipelines.md', () => {
  let folder: string
  /** The result of each command; the commands run at the same time, each in a separate repository. */
  let done: Done[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'claude-batch-test-'))
    await fill(join(folder, 'first'))
    done = await Promise.all(
      commands.map(async (text, n) => {
        const cwd = join(folder, `${n}`)
        await cp(join(folder, 'first'), cwd, { recursive: true, preserveTimestamps: true })
        return { cwd, ...(await runShell(text, { cwd, env: { CLAUDE_BATCH_SIMULATE: '1' } })) }
      }),
    )
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('has commands', () => expect(commands.length).toBeGreaterThan(5))

  it.each(commands.map((text, n) => [text.split('\n')[0], n] as const))(
    'has a working command: %s',
    (_, n) => {
      const { code, stderr = '' } = done[n] ?? {}
      expect([code, stderr.match(/ERROR|cannot|error:/)]).toEqual([0, null])
    },
  )

  it('has commands with the expected output', () => {
    const of = (part: string) => done[commands.findIndex((text) => text.includes(part))] as Done
    const changed = of('git diff')
    expect(readdirSync(join(changed.cwd, 'summaries/docs'))).toEqual([
      'c.md.summary.md',
      'it is "odd".md.summary.md',
    ])
    expect(changed.stdout).toBe('')
    const { stdout } = of('--format jsonl')
    expect(
      stdout
        .split('\n')
        .slice(0, 3)
        .map((line) => line.split('\t')[0]),
    ).toEqual(['docs/a.md', 'docs/c.md', 'docs/it is "odd".md'])
    expect(Number(stdout.trim().split('\n').at(-1))).toBeGreaterThan(0)
  })
})
