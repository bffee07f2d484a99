import { execFile, spawnSync } from 'node:child_process'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bin, createFolder } from '../support/run-cli.ts'
import { whyTerminalUnavailable } from '../support/terminal.ts'

const files = {
  'prompts/brief.yaml': 'versions: { v1: { user_template: "{text}" }, v2: { user_template: "{text}" } }',
  'prompts/broken.yaml': 'versions: [',
  'prompts/\u001b[2J$(touch x).yaml': 'versions: { v1: { user_template: "{text}" } }',
  'claude-batch.yaml': 'profiles: { night: { rpm: 5 }, day: {} }',
  'docs/a file.md': 'A',
}

const typing = `
import json, os, pty, re, select, sys, time
shell, keys, wanted = json.loads(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
pid, terminal = pty.fork()
if pid == 0: os.execvp(shell[0], shell)
def until(pattern):
    shown, end = '', time.time() + 240
    while time.time() < end:
        if not select.select([terminal], [], [], 0.2)[0]: continue
        try: shown += os.read(terminal, 65536).decode('utf8', 'replace')
        except OSError: break
        if re.search(pattern, re.sub(r'\\x1b\\[[0-9;?]*[a-zA-Z]', '', shown)): return
    sys.exit('not shown: ' + pattern + ' in ' + repr(shown))
for text, pattern in keys:
    os.write(terminal, text.encode())
    until(pattern)
# Kill the shell before it writes a history file into the temporary folder.
os.kill(pid, 9)
os.waitpid(pid, 0)
`

/** Types keys into an interactive shell, and waits after each piece for the expected output. */
async function typed(shell: readonly string[], keys: readonly (readonly [string, string])[]) {
  const cwd = await createFolder(files)
  await symlink(bin, join(cwd, 'claude-batch'))
  const env = { PATH: `${cwd}:${process.env['PATH']}`, TERM: 'xterm', HOME: cwd, LANG: 'C.UTF-8' }
  return new Promise<string>((resolve) => {
    execFile(
      'python3',
      ['-c', typing, JSON.stringify(shell), JSON.stringify(keys), ''],
      { cwd, env },
      (error, _, stderr) => resolve(error === null ? 'as expected' : stderr),
    )
  })
}
const missing = (shell: string) =>
  spawnSync(shell, ['-c', 'true']).status !== 0 || whyTerminalUnavailable() !== undefined
/** Each line is typed, completed with TAB, and deleted again with Ctrl-U. */
const lines: readonly (readonly [string, string])[] = [
  ['claude-batch sum\t', 'claude-batch summarize '],
  ['\u0015claude-batch summarize --effo\t', 'summarize --effort '],
  ['\u0015claude-batch summarize --model hai\t', '--model haiku '],
  ['\u0015claude-batch summarize --prompt brief@v\t\t', '@v1\\s+(brief)?@v2'],
  ['\u0015claude-batch summarize --model=hai\t', '--model=haiku'],
  ['\u0015claude-batch summarize docs/a\t', String.raw`docs/(a\\ file\.md|'a file\.md'|"a file)`],
]

describe('the completion script', () => {
  it.skipIf(missing('bash'))('completes commands, flags, values and files in bash', async () => {
    const ready: [string, string] = [
      'PS1="> "; eval "$(claude-batch completion bash)"; echo rea""dy\n',
      'ready\\s',
    ]
    expect(await typed(['bash', '--norc', '--noprofile', '-i'], [ready, ...lines])).toBe('as expected')
  })

  it.skipIf(missing('zsh'))('completes commands, flags, values and files in zsh', async () => {
    const setUp =
      'PS1="> "; autoload -Uz compinit; compinit -u -D; eval "$(claude-batch completion zsh)"; echo rea""dy\n'
    expect(await typed(['zsh', '-f', '-i'], [[setUp, 'ready\\s'], ...lines])).toBe('as expected')
  })

  it.skipIf(missing('fish'))('completes commands, values and files in fish', async () => {
    const cwd = await createFolder(files)
    await symlink(bin, join(cwd, 'claude-batch'))
    const ask = (line: string) => `claude-batch completion fish | source; complete -C ${JSON.stringify(line)}`
    const run = (line: string) =>
      spawnSync('fish', ['--no-config', '-c', ask(line)], {
        cwd,
        encoding: 'utf8',
        env: { PATH: `${cwd}:${process.env['PATH']}`, HOME: cwd },
      })
        .stdout.trim()
        .split('\n')
    expect(run('claude-batch sum')).toEqual(['summarize'])
    expect(run('claude-batch summarize --model hai')).toEqual(['haiku'])
    expect(run('claude-batch summarize --prompt brief@v')).toEqual(['brief@v1', 'brief@v2'])
    expect(run('claude-batch summarize docs/a')).toEqual(['docs/a file.md'])
  })
})
