import { execFileSync } from 'node:child_process'
import { constants } from 'node:fs'
import { link, lstat, mkdir, open, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const entry = JSON.stringify({
  format_version: 1,
  started_at: '2026-11-22T10:00:00.000Z',
  path: 'docs/a.md',
  attempt: 1,
  status_code: 200,
  elapsed_ms: 5,
  input_tokens: 1,
  output_tokens: 1,
  model: 'claude-haiku-5-5',
  request_id: null,
  error_type: null,
})
const files = { 'docs/a.md': 'The ferry sails at nine.\n', 'docs/b.md': 'The mill is old.\n' }

async function setting(more: Readonly<Record<string, string>> = {}) {
  const cwd = await createFolder({ ...files, ...more })
  const { env, simulator } = await startService({})
  const run = (...args: string[]) => runInProcess(['summarize', 'docs', ...args], { cwd, env })
  const text = (name: string) => readFile(join(cwd, name), 'utf8')
  return { cwd, env, simulator, run, text, at: (name: string) => join(cwd, name) }
}

/** Runs, and expects an error that matches `why`, no requests and no new files. */
async function refused(
  { run, simulator, cwd }: Awaited<ReturnType<typeof setting>>,
  args: readonly string[],
  why: RegExp | string,
  code = 2,
): Promise<void> {
  const before = await readdir(cwd, { recursive: true })
  const ended = await run(...args)
  expect(ended).toMatchObject({ code, stdout: '' })
  expect(ended.stderr).toMatch(why)
  expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1)
  expect(simulator.stats().requests).toBe(0)
  expect(await readdir(cwd, { recursive: true })).toEqual(before)
}

/** Flags that name an output file, each with an example. */
const flags = [
  ['--report', 'out.json'],
  ['--report', 'out.md'],
  ['--report', 'out.html'],
  ['--log', 'out.jsonl'],
  ['--digest', 'out.txt'],
] as const

describe.each(flags)('%s %s', (flag, name) => {
  it('creates a new file and its folders', async () => {
    const { run, text } = await setting()
    expect(await run(flag, `new/folder/${name}`)).toMatchObject({ code: 0 })
    expect(await text(`new/folder/${name}`)).not.toBe('')
  })

  it('overwrites an empty file, and the same file again in the next run', async () => {
    const { run, text } = await setting({ [name]: '' })
    for (let n = 0; n < 2; n++) expect(await run(flag, name)).toMatchObject({ code: 0 })
    expect(await text(name)).not.toBe('')
  })

  it.each(['My own words.\n', '{"mine": true}\n', `${entry} and more\n`, entry, '\n'])(
    'does not overwrite a file of the user, and sends no request: %j',
    async (content) => {
      const at = await setting({ [name]: content })
      await refused(at, [flag, name], new RegExp(`^claude-batch: ${flag} ${name}: the (file|last line) `))
      expect(await at.text(name)).toBe(content)
    },
  )

  it('follows a link that the user named, and keeps the link', async () => {
    const { run, text, at } = await setting()
    await mkdir(at('kept'))
    await symlink(join('kept', name), at(name))
    for (let n = 0; n < 2; n++) expect(await run(flag, name)).toMatchObject({ code: 0 })
    expect((await lstat(at(name))).isSymbolicLink()).toBe(true)
    expect((await lstat(at(join('kept', name)))).isFile()).toBe(true)
    expect(await text(join('kept', name))).not.toBe('')
  })

  it('does not overwrite a file of the user through a link', async () => {
    const at = await setting({ mine: 'My own words.\n' })
    await symlink('mine', at.at(name))
    await refused(at, [flag, name], /: the (file|last line) /)
    expect(await at.text('mine')).toBe('My own words.\n')
  })

  it.each<[string, string, RegExp]>([
    ['a folder', 'docs', /this is a folder; name a file/],
    ['a new folder', 'new/', /this is a folder; name a file/],
    ['a descriptor that is not open', '/dev/fd/1000', /no such descriptor is open/],
  ])('rejects %s', async (_what, given, why) => {
    await refused(await setting(), [flag, given], why)
  })

  it('rejects stdout, where results are printed; the report may be there instead of results', async () => {
    const results = flag === '--report' ? ['-o', '-'] : []
    await refused(
      await setting(),
      [flag, '-', ...results],
      /stdout is for the results; name a file, or \/dev\/stderr/,
    )
  })

  it('rejects a link to itself', async () => {
    const at = await setting()
    await symlink(name, at.at(name))
    await refused(at, [flag, name], /cannot write .*symbolic links/, 6)
  })

  it('rejects a file in the state folder of an output folder, also through a link', async () => {
    const at = await setting()
    await mkdir(at.at('summaries/.claude-batch'), { recursive: true })
    await writeFile(at.at('summaries/.claude-batch/ledger.jsonl'), '')
    await symlink('summaries/.claude-batch', at.at('state'))
    for (const given of [`summaries/.claude-batch/${name}`, `state/${name}`, `other/.claude-batch/x/${name}`])
      await refused(at, [flag, given], /this lies in the state folder of an output folder/)
    await symlink('summaries/.claude-batch/ledger.jsonl', at.at(name))
    await refused(at, [flag, name], /this lies in the state folder of an output folder/)
  })

  it('rejects a file in a folder that is not writable', async () => {
    const at = await setting()
    await refused(at, [flag, `docs/a.md/${name}`], /cannot write .*: a file is where a folder is needed/, 6)
    await refused(at, [flag, `/proc/${name}`], /cannot write \/proc\/out\.\w+: /, 6)
  })

  it.each(['docs/../docs/a.md', 'linked.md', 'hard.md'])(
    'rejects a file that is an input, also under another name: %s',
    async (given) => {
      const at = await setting({ 'docs/a.md': '' })
      await symlink('docs/a.md', at.at('linked.md'))
      await link(at.at('docs/a.md'), at.at('hard.md'))
      const how = flag === '--report' ? given.replace(/\.md$/, name.slice(3)) : given
      if (how !== given) await link(at.at('docs/a.md'), at.at(how))
      await refused(at, [flag, how, 'docs/a.md'], /this is also an input, docs\/a\.\w+; name another file/)
    },
  )

  it('rejects the name of a summary', async () => {
    const suffix = name.endsWith('.json') ? '.summary.json' : '.summary.md'
    if (name.endsWith('.html')) return
    await refused(await setting(), [flag, `summaries/docs/a.md${suffix}`], /this is the name of a summary/)
  })
})

describe('output files named by flags', () => {
  it.each([
    ['r.json', 'r.json'],
    ['r.json', 'docs/../R.JSON'],
    ['r.json', 'linked.json'],
    ['r.json', 'hard.json'],
  ])('are rejected if they are the same file: %s and %s', async (report, log) => {
    const at = await setting({ 'r.json': '' })
    await symlink('r.json', at.at('linked.json'))
    await link(at.at('r.json'), at.at('hard.json'))
    await refused(at, ['--report', report, '--log', log], /--report .* and --log .* are the same file/)
    await refused(at, ['--digest', log, '--report', report], /are the same file/)
  })

  it('are rejected if stdout or stderr is redirected to them', async () => {
    const { cwd, env, at } = await setting({ 'out.json': '' })
    const { ino } = await stat(at('out.json'))
    const isRedirectTarget = (file: { ino: number }) => file.ino === ino
    for (const flag of ['--report', '--log']) {
      const args = ['summarize', 'docs', '-o', '-', flag, 'out.json']
      const { code, stderr } = await runInProcess(args, { cwd, env, isRedirectTarget })
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining('stdout or stderr is redirected to this file'),
      ])
    }
  })

  it('may be /dev/null, which remains a device', async () => {
    const { run } = await setting()
    expect(await run('--report', '/dev/null', '--log', '/dev/null')).toMatchObject({ code: 0 })
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
  })

  it('may be stderr or stdout, named as devices', async () => {
    const { run } = await setting()
    const { stderr, stdout } = await run('--log', '/dev/stderr', '--report', '/proc/self/fd/1', '-q')
    const entries = stderr.split('\n').filter((line) => line.startsWith('{'))
    expect(entries.map((line) => JSON.parse(line).status_code)).toEqual([200, 200])
    expect(JSON.parse(stdout)).toMatchObject({ format: 'claude-batch report' })
  })

  it('may be a file descriptor, to whose file the output is appended', async () => {
    const { run, text, at } = await setting({ mine: 'Mine.\n' })
    const handle = await open(at('mine'), 'a')
    expect(await run('--log', `/dev/fd/${handle.fd}`)).toMatchObject({ code: 0 })
    await handle.close()
    const lines = (await text('mine')).trimEnd().split('\n')
    expect([lines[0], lines.length]).toEqual(['Mine.', 3])
  })

  it('may be a pipe with a reader, which remains a pipe', async () => {
    const { run, at } = await setting()
    execFileSync('mkfifo', [at('log'), at('r.html')])
    const readers = await Promise.all(
      ['log', 'r.html'].map((name) => open(at(name), constants.O_RDONLY | constants.O_NONBLOCK)),
    )
    expect(await run('--log', 'log', '--report', 'r.html', '--digest', 'd.md')).toMatchObject({ code: 0 })
    const [log = '', report = ''] = await Promise.all(
      readers.map(async (reader) => {
        const { buffer, bytesRead } = await reader.read(Buffer.alloc(1 << 20), 0, 1 << 20, null)
        await reader.close()
        return buffer.toString('utf8', 0, bytesRead)
      }),
    )
    // One entry for each of the two documents and one for the digest.
    expect(log.trimEnd().split('\n')).toHaveLength(3)
    expect(report).toMatch(/^<!doctype html>/)
    expect((await lstat(at('log'))).isFIFO()).toBe(true)
  })

  it.each(['--log', '--report', '--digest'])(
    'are rejected immediately if they are pipes without a reader: %s',
    async (flag) => {
      const at = await setting()
      execFileSync('mkfifo', [at.at('pipe')])
      await refused(at, [flag, 'pipe'], /the pipe has no reader; start the reader first/)
    },
  )

  it('are not overwritten if another program creates the report file during the run', async () => {
    const cwd = await createFolder(files)
    const { env } = await startService({
      script() {
        execFileSync('sh', ['-c', 'echo Mine. > "$0"', join(cwd, 'r.md')])
        return { kind: 'answer', delayMs: 1 }
      },
    })
    const { code, stderr } = await runInProcess(['summarize', 'docs', '--report', 'r.md'], { cwd, env })
    expect([code, stderr]).toEqual([
      6,
      expect.stringContaining('--report r.md: the file was not written by claude-batch; it was not replaced'),
    ])
    expect(await readFile(join(cwd, 'r.md'), 'utf8')).toBe('Mine.\n')
  })

  it('keep their mode if a new report replaces them', async () => {
    const { run, at } = await setting()
    await run('--report', 'r.json')
    execFileSync('chmod', ['600', at('r.json')])
    await run('--report', 'r.json')
    expect((await stat(at('r.json'))).mode & 0o777).toBe(0o600)
  })

  it('may be files with the redirected output of `report`', async () => {
    const { run, cwd, env, at } = await setting()
    await run()
    for (const format of ['json', 'md', 'html']) {
      const { stdout } = await runInProcess(['report', '--format', format], { cwd, env })
      await writeFile(at(`r.${format}`), stdout)
      expect(await run('--report', `r.${format}`)).toMatchObject({ code: 0 })
    }
  })

  it('are checked by a dry run, too', async () => {
    const at = await setting({ 'mine.json': '{}' })
    await refused(at, ['--dry-run', '--report', 'mine.json'], /the file was not written by claude-batch/)
    await refused(at, ['--dry-run', '--log', 'mine.json'], /the last line of the file/)
    const { code, stderr } = await at.run('--dry-run', '--report', '/dev/stderr')
    expect([code, JSON.parse(stderr).format]).toEqual([0, 'claude-batch estimate'])
  })

  it.each([
    [`${entry}\n`, true],
    [`${entry}\n{"time":"2026-`, true],
    [`${entry}\n{"time":"2026-\n`, true],
    [`${entry}\n\n`, true],
    [`${entry}\nMine.\nMine.\n`, false],
    [`{"time":"2026-`, false],
  ])('a log with the content %j is accepted and appended to: %j', async (content, isLog) => {
    const { run, text } = await setting({ 'run.log': content })
    expect(await run('--log', 'run.log')).toMatchObject({ code: isLog ? 0 : 2 })
    expect((await text('run.log')).startsWith(content)).toBe(true)
  })

  it('are checked by serve and compare as by summarize', async () => {
    const { cwd, env, simulator, text, at } = await setting({ 'mine.txt': 'Mine.\n' })
    const compare = ['compare', 'docs', '--prompts', 'summarize@v1,summarize@v2']
    for (const args of [['serve', '--port', '0'], compare])
      expect(await runInProcess([...args, '--log', 'mine.txt'], { cwd, env })).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('--log mine.txt: the last line of the file is not an entry'),
      })
    await mkdir(at('comparison'))
    await writeFile(at('comparison/comparison.md'), 'Mine.\n')
    expect(await runInProcess(compare, { cwd, env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        '--out comparison: comparison.md: the file was not written by claude-batch',
      ),
    })
    expect(await text('comparison/comparison.md')).toBe('Mine.\n')
    expect(simulator.stats().requests).toBe(0)
    for (const name of ['comparison.md', 'comparison.html', 'Comparison.md'])
      expect(
        await runInProcess([...compare, '-o', 'other', '--log', `other/${name}`], { cwd, env }),
      ).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('there; name another file'),
      })
    for (let n = 0; n < 2; n++)
      expect(await runInProcess([...compare, '-o', 'other'], { cwd, env })).toMatchObject({ code: 0 })
  })
})
