import { describe, expect, it } from 'vitest'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const run = async (args: string, files: Record<string, string> = {}, env: Record<string, string> = {}) =>
  runInProcess(args.split(' '), { cwd: await createFolder({ 'a.md': 'text', ...files }), env })

describe('a usage error', () => {
  it.each([
    ['an unknown flag', 'summarize a.md --concurency 5', 'summarize'],
    ['an unknown flag of a subcommand', 'prompts list --al', 'prompts list'],
    ['an unknown flag of the program', '--al summarize', ''],
    ['an unknown command', 'summarise a.md', ''],
    ['an unknown subcommand', 'batches lst', 'batches'],
    ['a missing argument', 'prompts show', 'prompts show'],
    ['a wrong argument', 'completion tcsh', 'completion'],
    ['a wrong value of a flag', 'summarize a.md --retries many', 'summarize'],
    ['flags that contradict each other', 'summarize a.md --quiet --verbose', 'summarize'],
    ['a flag that does not apply to the output', 'summarize a.md --format jsonl', 'summarize'],
    ['no input', 'summarize', 'summarize'],
    ['nothing to compare', 'compare a.md --simulate', 'compare'],
  ])('about %s ends with the help to read', async (_name, args, command) => {
    const { code, stderr } = await run(args)
    const help = ['claude-batch', command, '--help'].filter((word) => word !== '').join(' ')
    expect(stderr).toMatch(/^claude-batch: [^\n]*\n$/)
    expect([code, stderr.trim().split('. See ').slice(1)]).toEqual([2, [help]])
  })

  it('has no full stop after a question', async () => {
    const { stderr } = await run('summarize a.md --encoding latn1')
    expect(stderr).toMatch(/did you mean latin1\? See claude-batch summarize --help\n$/)
  })

  it.each([
    ['a configuration file', 'summarize a.md', { 'claude-batch.yaml': 'retries: many\n' }, {}],
    ['a profile', 'summarize a.md --profile night', { 'claude-batch.yaml': 'retries: 2\n' }, {}],
    ['an environment variable', 'summarize a.md', {}, { CLAUDE_BATCH_RETRIES: 'many' }],
    ['a prompt file', 'summarize a.md --prompt ./p.yaml --simulate', { 'p.yaml': 'versions: {}\n' }, {}],
    ['a schema file', 'summarize a.md --schema s.json --simulate', { 's.json': '{' }, {}],
    ['a list of inputs', 'summarize --files-from list --simulate', {}, {}],
    ['missing credentials', 'summarize a.md', {}, {}],
  ])('about %s has no hint at the help', async (_name, args, files, env) => {
    const { code, stderr } = await run(args, files as Record<string, string>, env as Record<string, string>)
    expect([code, stderr]).toEqual([2, expect.not.stringContaining('--help')])
  })
})
