import { chmod, lstat, readFile, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { setPinnedVersion } from '../../src/inputs/prompts/pin-version.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const two = `# ours
versions:
  v1: # the first
    description: short
    user_template: Sum up {text} for {audience}
  v2:
    user_template: Sum up {text}
`
const here = async (files: Record<string, string> = {}) => {
  const cwd = await createFolder(files)
  const run = (...args: string[]) => runInProcess(['prompts', ...args], { cwd, env: {} })
  return { cwd, run, text: (file: string) => readFile(join(cwd, file), 'utf8') }
}

describe('prompts list', () => {
  it('prints for each prompt its version, the reason for that version, and its file', async () => {
    const files = {
      'prompts/brief.yaml': two,
      'prompts/summarize.yaml': `default: v1\n${two}`,
      'prompts/x.yaml': '[',
    }
    const { run } = await here(files)
    const { code, stdout } = await run('list')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^brief +v2 \(latest\) +v1 v2 +prompts\/brief.yaml/m)
    expect(stdout).toMatch(/^summarize +v1 \(pinned\) +v1 v2 +prompts\/summarize.yaml +short$/m)
    expect(stdout).toMatch(/^summarize +– +v1 v2 v3 +shipped +overridden by your prompt/m)
    expect(stdout).toMatch(/^x +– +– .*cannot be used: prompts\/x.yaml:1:/m)
  })
})

describe('a prompt in a .yml file', () => {
  it('is listed, checked, shown and compared by its name', async () => {
    const { run } = await here({ 'prompts/brief.yml': two })
    expect((await run('list')).stdout).toMatch(/^brief +v2 \(latest\) +v1 v2 +prompts\/brief.yml/m)
    expect((await run('check')).stdout).toMatch(/^prompts\/brief.yml: ok$/m)
    expect((await run('show', 'brief')).stderr).toContain('brief@v2 (latest, prompts/brief.yml)')
    expect((await run('diff', 'brief@v1')).code).toBe(0)
  })

  it('is pinned in the same file', async () => {
    const { run, cwd, text } = await here({ 'prompts/brief.yml': two })
    expect((await run('pin', 'brief@v1')).code).toBe(0)
    expect(await text('prompts/brief.yml')).toContain('default: v1\n')
    await expect(lstat(join(cwd, 'prompts/brief.yaml'))).rejects.toThrow('ENOENT')
  })

  it('is an error that names both files if a .yaml file has the same name', async () => {
    const { run, cwd } = await here({ 'prompts/brief.yaml': two, 'prompts/brief.yml': two, 'a.md': 'A' })
    const both = 'there are two files, prompts/brief.yaml and prompts/brief.yml; remove one of them'
    for (const args of [
      ['show', 'brief'],
      ['pin', 'brief@v1'],
      ['diff', 'brief@v1'],
    ])
      expect(await run(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(both) as string })
    const summarize = await runInProcess(['summarize', 'a.md', '--simulate', '--prompt', 'brief'], { cwd })
    expect(summarize).toMatchObject({ code: 2, stderr: expect.stringContaining(both) as string })
  })

  it('with the same name as a .yaml file does not affect other prompts', async () => {
    const files = { 'prompts/brief.yaml': two, 'prompts/brief.yml': two, 'prompts/other.yml': two }
    const { run } = await here(files)
    const { code, stdout } = await run('list')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^brief .*cannot be used: .*prompts\/brief.yaml and prompts\/brief.yml/m)
    expect(stdout).toMatch(/^other +v2/m)
    expect(await run('check')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('other.yml: ok') as string,
    })
    expect((await run('check', 'other')).code).toBe(0)
  })
})

describe('prompts show', () => {
  it('prints a version with its placeholders', async () => {
    const { run } = await here({ 'prompts/brief.yaml': two })
    expect(await run('show', 'brief@v1')).toEqual({
      code: 0,
      stdout: 'description: short\n\n--- user\nSum up {text} for {audience}\n',
      stderr: 'claude-batch: brief@v1 (requested, prompts/brief.yaml)\n',
    })
  })

  it('prints the prompt for a document with an estimate of its tokens', async () => {
    const { run } = await here({ 'prompts/brief.yaml': two, 'a.md': 'Ferries sail.' })
    const { stdout } = await run('show', 'brief@v1', '--file', 'a.md', '--var', 'audience=gulls')
    expect(stdout).toMatch(/Sum up <document-\w+>\nFerries sail.\n<\/document-\w+> for gulls\n/)
    expect(stdout).toMatch(/--- about \d+ tokens in, at most 1024 out\n$/)
    expect(await run('show', 'brief@v1', '--file', 'a.md')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--var audience=…'),
    })
    expect(await run('show', 'brief', '--file', 'gone.md')).toMatchObject({ code: 3 })
  })
})

describe('prompts diff', () => {
  it('prints the differences between two versions', async () => {
    const { run } = await here({ 'prompts/brief.yaml': two })
    const expected = [
      '--- brief@v1',
      '+++ brief@v2',
      '@@ -1,4 +1,2 @@',
      '-description: short',
      '-',
      ' --- user',
      '-Sum up {text} for {audience}',
      '+Sum up {text}',
    ]
    for (const args of [['brief@v1', 'brief@v2'], ['brief@v1', 'v2'], ['brief@v1']]) {
      const { code, stdout } = await run('diff', ...args)
      expect([
        code,
        stdout
          .trimEnd()
          .split('\n')
          .map((line) => line.trimEnd()),
      ]).toEqual([0, expected])
    }
    expect(await run('diff', 'brief@v1', 'v1')).toMatchObject({ code: 0, stdout: '' })
    expect(await run('diff', 'brief')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('brief@v1 v2'),
    })
  })
})

describe('prompts check', () => {
  it('accepts the shipped prompts', async () => {
    const { run } = await here()
    const stdout =
      'chunk.yaml (shipped): ok\ndigest.yaml (shipped): ok\ninstructions.yaml (shipped): ok\n  v1: needs --instructions …\njudge.yaml (shipped): ok\n  v1: for compare --judge, which fills in its placeholders\nreduce.yaml (shipped): ok\nsummarize.yaml (shipped): ok\n'
    expect(await run('check')).toEqual({ code: 0, stdout, stderr: '' })
  })

  it('prints the line and column of every mistake, and notes about valid files', async () => {
    const wrong = { versions: two.replace('{audience}', '{'), slot: two.replace('{text} for', '') }
    const { run } = await here({
      'prompts/a.yaml': wrong.versions,
      'prompts/b.yaml': wrong.slot,
      'prompts/c.yaml': two,
    })
    const { code, stdout } = await run('check')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^prompts\/a.yaml:5:\d+: .*lone \{/m)
    expect(stdout).toMatch(/^prompts\/b.yaml:5:\d+: .*no \{text\}/m)
    expect(stdout).toMatch(/^prompts\/c.yaml: ok\n {2}v1: needs --var audience=…$/m)
    expect(await run('check', 'c', './prompts/c.yaml')).toMatchObject({ code: 0 })
    expect(await run('check', 'nobody')).toMatchObject({ code: 2 })
  })
})

describe('prompts pin', () => {
  it('pins another version, and removes the pin, with one command each', async () => {
    const { run, text } = await here({ 'prompts/brief.yaml': two })
    expect(await run('pin', 'brief@v1')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('use v1 from now on'),
    })
    expect(await text('prompts/brief.yaml')).toBe(two.replace('versions', 'default: v1\nversions'))
    expect((await run('list')).stdout).toContain('v1 (pinned)')
    expect(await run('pin', 'brief@v2')).toMatchObject({ code: 0 })
    expect(await text('prompts/brief.yaml')).toBe(two.replace('versions', 'default: v2\nversions'))
    expect(await run('pin', 'brief')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('its latest'),
    })
    expect(await text('prompts/brief.yaml')).toBe(two)
  })

  it('copies a shipped prompt instead of editing the installed file', async () => {
    const { run, text } = await here()
    expect(await run('pin', 'summarize@v1')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('a copy'),
    })
    const shipped = await readFile('prompts/summarize.yaml', 'utf8')
    expect(await text('prompts/summarize.yaml')).toBe(
      shipped.replace('\nversions', '\ndefault: v1\nversions'),
    )
  })

  it('rejects a version that does not exist and a file that it cannot edit', async () => {
    const flow = '{versions: {v1: {user_template: "{text}"}}}'
    const { run, text } = await here({ 'prompts/brief.yaml': two, 'prompts/flow.yaml': flow })
    for (const spec of ['brief@v3', 'flow@v1', 'nobody@v1'])
      expect(await run('pin', spec)).toMatchObject({ code: 2 })
    expect([await text('prompts/brief.yaml'), await text('prompts/flow.yaml')]).toEqual([two, flow])
  })

  it('follows a link, and keeps the permissions of the file', async () => {
    const { cwd, run, text } = await here({ 'kept/brief.yaml': two, 'prompts/README': '' })
    await chmod(join(cwd, 'kept/brief.yaml'), 0o640)
    await symlink('../kept/brief.yaml', join(cwd, 'prompts/brief.yaml'))
    await run('pin', 'brief@v1')
    expect(await text('kept/brief.yaml')).toContain('default: v1')
    expect((await stat(join(cwd, 'kept/brief.yaml'))).mode & 0o777).toBe(0o640)
  })

  it('does not overwrite another file with a copy of a shipped prompt', async () => {
    const { cwd, run } = await here({ 'prompts/README': '' })
    const place = join(cwd, 'prompts/summarize.yaml')
    await symlink('nowhere', place)
    expect(await run('pin', 'summarize@v1')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('prompts/summarize.yaml exists and is not a readable file'),
    })
    expect((await lstat(place)).isSymbolicLink()).toBe(true)
  })

  it('changes nothing but the pin in any surrounding text', () => {
    const line = fc.constantFrom('# a note', '', 'versions: {v1: x, v2: y}', '  # indented note')
    const pin = fc.constantFrom('default: v7', "default: 'v7' # why", 'default:  v7')
    const file = fc
      .tuple(
        fc.array(line.filter((text) => !text.startsWith('v'))),
        pin,
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
      )
      .map(([lines, pin, end, before]) => {
        const parts = before ? [...lines, pin, 'versions: {}'] : [...lines, 'versions: {}', pin]
        return { text: `${parts.join(end)}${end}`, pin, end }
      })
    fc.assert(
      fc.property(file, ({ text, pin, end }) => {
        const changed = setPinnedVersion(text, 'v1') ?? ''
        expect(parse(changed)).toEqual({ default: 'v1', versions: {} })
        expect(changed).toBe(text.replace(/'?v7'?/, 'v1'))
        const without = setPinnedVersion(text, undefined) ?? ''
        expect(without).toBe(text.replace(`${pin}${end}`, ''))
        expect(parse(setPinnedVersion(without, 'v9') ?? '')).toEqual({ default: 'v9', versions: {} })
      }),
    )
  })
})
