import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder, startService } from './support/run-cli.ts'
import { addCommands, runShell } from './support/run-shell.ts'

const pages = [
  'README.md',
  ...[
    'batches',
    'compare',
    'configuration',
    'cost',
    'cron',
    'digest',
    'export',
    'inputs',
    'running-again',
    'prompts',
    'report',
    'structured',
  ].map((it) => `docs/${it}.md`),
]
function read(page: string): string {
  return readFileSync(resolve(import.meta.dirname, '..', page), 'utf8')
}

const missing = ['bash', 'jq', 'find'].filter((name) => spawnSync(name, ['--version']).status !== 0)

/** Commands with another expected exit code than 0. */
const others: readonly (readonly [part: string, code: number])[] = [
  ['batches cancel', 0],
  // All documents have a summary.
  ['--status failed', 3],
]

const files = {
  ...Object.fromEntries(
    Array.from({ length: 6 }, (_, n) => [
      `docs/${n}.md`,
      `# Note ${n}\n\nThe keeper of harbour ${n} has a dog. It barks.`,
    ]),
  ),
  'notes.md': 'The ferry leaves at nine.\n',
  'notes/.gitkeep': '',
  'talk.txt': 'The tide is high at ten.\n',
  'brief.txt': 'List all deadlines.\n',
  'reports/2026/may.md': 'Nothing happened in May.\n',
  last: '',
  // The variables of the job, which the test sets itself.
  'claude-batch.env': '',
  // The example on the page.
  'facts.json': /```json\n([\s\S]*?)```/.exec(read('docs/structured.md'))?.[1] ?? '',
  'claude-batch.yaml': 'profiles:\n  night:\n    model: haiku\n',
}

/** The claude-batch commands on a page, in order, without those that run until they are stopped. */
function commandsOn(page: string): string[] {
  const text = read(page)
  const blocks = [...text.matchAll(/```(?:sh|crontab)\n([\s\S]*?)```/g)].map(([, block = '']) => block)
  return blocks
    .flatMap((block) => block.replace(/\\\n/g, ' ').split('\n'))
    .map((line) => line.replace(/^\d+ \d+ \* \* \* +/, ''))
    .filter((line) => /(^|[|&;/ ])claude-batch /.test(line))
    .filter((line) => !/claude-batch (serve|simulate)|npm ci|npx/.test(line))
}

describe.skipIf(missing.length > 0)('the documented commands', () => {
  it.each(pages)('of %s exit with the expected code', async (page) => {
    const cwd = await createFolder(files)
    await addCommands(cwd)
    const { env } = await startService({})
    const run = (text: string) => runShell(text, { cwd, env, shell: ['bash', '-o', 'pipefail'] })
    await run(
      'touch -d 2020-01-01 last; claude-batch summarize docs -o notes -q; cp -a notes part1; cp -a notes part3',
    )
    const commands = commandsOn(page)
    expect(commands.length).toBeGreaterThan(0)
    for (const command of commands) {
      const here = command.replaceAll('/srv/notes', cwd).replaceAll('/etc/', `${cwd}/`)
      const expected = others.find(([part]) => command.includes(part))?.[1] ?? 0
      const { code, stderr } = await run(here)
      expect({ command, code, stderr }).toEqual({ command, code: expected, stderr })
    }
  })
})
