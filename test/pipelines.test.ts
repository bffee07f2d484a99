import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bin, folderWith } from './support/run-cli.ts'

const page = readFileSync(resolve(import.meta.dirname, '../docs/pipelines.md'), 'utf8')
const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = '']) => text)
const missing = ['bash', 'git', 'jq', 'find'].filter((name) => spawnSync(name, ['--version']).status !== 0)

/** A repository whose branch has changed one of three documents. */
async function repository() {
  const cwd = await folderWith({
    'notes.md': '# Notes\n\nThe ferry leaves at nine.\n',
    'notes/b.md': 'The tide is high at ten.\n',
    'docs/a.md': 'The harbour has a keeper.\n',
    'docs/it is "odd".md': 'The keeper has a dog.\n',
    'docs/c.md': 'The dog sleeps.\n',
  })
  await mkdir(join(cwd, 'bin'))
  await symlink(bin, join(cwd, 'bin/claude-batch'))
  const setUp = `git init -q -b main; git add docs/a.md docs/c.md notes* && git -c user.name=n -c user.email=e commit -qm x
    git checkout -q -b branch; echo 'It barks.' >> docs/c.md`
  expect(spawnSync('bash', ['-ec', setUp], { cwd }).status).toBe(0)
  return cwd
}

const run = (text: string, cwd: string) =>
  spawnSync('bash', ['-euo', 'pipefail', '-c', text], {
    cwd,
    encoding: 'utf8',
    env: { PATH: `${cwd}/bin:${process.env['PATH']}`, HOME: cwd, CLAUDE_BATCH_SIMULATE: '1' },
  })

describe.skipIf(missing.length > 0)('the page about pipelines', () => {
  it('has commands', () => expect(commands.length).toBeGreaterThan(5))

  it.each(commands.map((text) => [text.split('\n')[0], text] as const))(
    'is right about %s',
    async (_, text) => {
      const { status, stderr } = run(text, await repository())
      expect([status, stderr.match(/ERROR|cannot|error:/)]).toEqual([0, null])
    },
  )

  it('tells what comes out', async () => {
    const cwd = await repository()
    const block = (start: string) => commands.find((text) => text.includes(start)) ?? ''
    const changed = run(block('git diff'), cwd)
    expect(readdirSync(join(cwd, 'summaries/docs'))).toEqual(['c.md.summary.md'])
    expect(changed.stdout).toBe('')
    const { stdout } = run(block('--format jsonl'), cwd)
    expect(
      stdout
        .split('\n')
        .slice(0, 3)
        .map((line) => line.split('\t')[0]),
    ).toEqual(['docs/a.md', 'docs/c.md', 'docs/it is "odd".md'])
    expect(Number(stdout.trim().split('\n').at(-1))).toBeGreaterThan(0)
  })
})
