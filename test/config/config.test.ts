import { chown, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareFlags } from '../../src/config/compare-flags.ts'
import { getConfigKey, getVariableName, indexFlagsByKey } from '../../src/config/flag-names.ts'
import { serveFlags } from '../../src/config/serve-flags.ts'
import { summarizeFlags } from '../../src/config/summarize-flags.ts'
import { findNearestName } from '../../src/core/text/find-nearest-name.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const yaml = `# ours
rpm: 50
out: sums
exclude: [drafts, old]
ext: [md, txt]
prompt: summarize@v1
log: runs/log.jsonl
hidden: true
ignore: false
var: { audience: kids }
max-wait: 2h
profiles:
  night:
    model: opus
    rpm: 500
`

/** The settings that `config` prints: value and origin by key. */
async function shown(files: Record<string, string>, args: string[] = [], env = {}, folder = '') {
  const cwd = await createFolder({ 'docs/a.md': 'A', ...files })
  const ended = await runInProcess(['config', ...args], { cwd: join(cwd, folder), env })
  const rows = [...ended.stdout.matchAll(/^([a-z-]+): (.*?) +# (.*)$/gm)].map(
    ([, key = '', value = '', origin = '']) => [key, [value.replace(cwd, '~'), origin]] as const,
  )
  return { ...ended, settings: Object.fromEntries(rows) as Record<string, readonly string[]> }
}

describe('the configuration file', () => {
  it('is read from the working directory, and names settings like flags', async () => {
    const { settings, code } = await shown({ 'claude-batch.yaml': yaml })
    expect(code).toBe(0)
    expect(settings).toMatchObject({
      rpm: ['50', 'claude-batch.yaml:2'],
      out: ['~/sums', 'claude-batch.yaml:3'],
      exclude: ['["drafts","old"]', 'claude-batch.yaml:4'],
      ext: ['["md","txt"]', 'claude-batch.yaml:5'],
      prompt: ['summarize@v1', 'claude-batch.yaml:6'],
      log: ['~/runs/log.jsonl', 'claude-batch.yaml:7'],
      hidden: ['true', 'claude-batch.yaml:8'],
      ignore: ['false', 'claude-batch.yaml:9'],
      var: ['{"audience":"kids"}', 'claude-batch.yaml:10'],
      'max-wait': ['7200', 'claude-batch.yaml:11'],
      retries: ['3', 'default'],
    })
  })

  it('may contain the output of `config`, including prices', async () => {
    const prices = 'prices: { llama-9: 0.50/2, haiku: 0.08/0.40/0.10/0.16/0.008 }\n'
    const { stdout } = await shown({ 'claude-batch.yaml': `${yaml}${prices}` })
    const again = await shown({ 'claude-batch.yaml': stdout })
    expect(again).toMatchObject({ code: 0, stderr: '' })
    const values = (text: string) => text.replace(/ +# .*/g, '')
    expect(values(again.stdout)).toBe(values(stdout))
    expect(stdout).toContain(
      'prices: {"llama-9":"0.5/2/0.625/1/0.05","claude-haiku-5-5":"0.08/0.4/0.1/0.16/0.008"}',
    )
  })

  it('is found in a parent folder, and its paths are relative to that folder', async () => {
    const { settings } = await shown({ 'claude-batch.yaml': 'out: sums', 'a/b/x.md': '' }, [], {}, 'a/b')
    expect(settings['out']?.[0]).toBe('~/sums')
  })

  it('is overridden by a profile, a profile by a variable, and a variable by a flag', async () => {
    const files = { 'claude-batch.yaml': yaml }
    const rpm = async (args: string[], env = {}) => (await shown(files, args, env)).settings['rpm']
    expect(await rpm([])).toEqual(['50', 'claude-batch.yaml:2'])
    expect(await rpm(['--profile', 'night'])).toEqual(['500', 'claude-batch.yaml:15'])
    expect(await rpm([], { CLAUDE_BATCH_PROFILE: 'night' })).toEqual(['500', 'claude-batch.yaml:15'])
    const env = { CLAUDE_BATCH_RPM: '70' }
    expect(await rpm(['--profile', 'night'], env)).toEqual(['70', 'CLAUDE_BATCH_RPM'])
    expect(await rpm(['--rpm', '90', '--profile', 'night'], env)).toEqual(['90', 'command line'])
  })

  it('may be claude-batch.yml, and the nearest folder takes precedence with either extension', async () => {
    const { settings } = await shown({ 'claude-batch.yml': yaml })
    expect(settings['rpm']).toEqual(['50', 'claude-batch.yml:2'])
    const files = { 'claude-batch.yaml': 'rpm: 1', 'a/claude-batch.yml': 'rpm: 2', 'a/b/x.md': '' }
    expect((await shown(files, [], {}, 'a/b')).settings['rpm']?.[0]).toBe('2')
  })

  it('is an error that names both files if both extensions exist', async () => {
    const files = { 'claude-batch.yaml': yaml, 'claude-batch.yml': yaml }
    const { code, stderr } = await shown(files)
    expect(code).toBe(2)
    expect(stderr).toMatch(/two configurations, .*claude-batch\.yaml and .*claude-batch\.yml; remove one/)
    expect((await shown(files, ['--config', 'claude-batch.yml'])).code).toBe(0)
  })

  it('is read if both extensions are links to the same file', async () => {
    const cwd = await createFolder({ 'claude-batch.yaml': yaml })
    await symlink('claude-batch.yaml', join(cwd, 'claude-batch.yml'))
    expect(await runInProcess(['config'], { cwd, env: {} })).toMatchObject({ code: 0, stderr: '' })
  })

  it('is ignored if --config or CLAUDE_BATCH_CONFIG names another file', async () => {
    const files = { 'claude-batch.yaml': yaml, 'other/mine.yaml': 'retries: 9\nout: sums' }
    for (const [args, env] of [
      [['--config', 'other/mine.yaml'], {}],
      [[], { CLAUDE_BATCH_CONFIG: 'other/mine.yaml' }],
    ] as const) {
      const { settings } = await shown(files, [...args], env)
      expect([settings['retries'], settings['out'], settings['rpm']]).toEqual([
        ['9', 'other/mine.yaml:1'],
        ['~/other/sums', 'other/mine.yaml:2'],
        undefined,
      ])
    }
  })

  it.each([
    [
      'rpm: 50\nmax-token: 5',
      /^claude-batch: claude-batch.yaml:2:1: .*"max-token"; did you mean max-tokens\?/,
    ],
    ['no-ignore: true', /1:1: .*"no-ignore"; did you mean ignore\?/],
    ['zzzzzzzzz: 1', /1:1: there is no setting "zzzzzzzzz"; settings are flags without --/],
    ['retries: 99', /1:10: retries: expected a whole number from 0 to 20, got "99"/],
    ['retries: [1, 2]', /1:10: retries: expected one value, not a list/],
    ['rpm: { a: 1 }', /1:6: rpm: expected a text or a number/],
    ['hidden: 1', /1:9: hidden: expected true or false/],
    ['model:', /1:\d: model: expected/],
    ['var: [a]', /1:6: var: expected a mapping/],
    ['rpm: 1\nrpm: 2', /2:1: .*unique/],
    ['rpm: [', /1:\d+: /],
    ['- rpm', /1:1: .*must have settings/],
    ['profiles: 5', /1:11: .*must have settings/],
    ['profiles:\n  night:\n    modle: opus', /3:5: .*"modle"; did you mean model\?/],
    ['a: &a [x,x]\nb: *a', /1:1: there is no setting "a"/],
  ])('ends every command with its line and column if it has a mistake: %j', async (text, message) => {
    const cwd = await createFolder({ 'docs/a.md': 'A', 'claude-batch.yaml': text })
    for (const command of [['config'], ['summarize', 'docs', '--simulate'], ['serve', '--simulate']]) {
      const { code, stderr, stdout } = await runInProcess(command, { cwd, env: {} })
      expect([code, stdout, stderr.split('\n').length]).toEqual([2, '', 2])
      expect(stderr).toMatch(message)
    }
  })

  it('is named with its profiles in the error about an unknown profile', async () => {
    const run = async (files: Record<string, string>) => (await shown(files, ['--profile', 'day'])).stderr
    expect(await run({ 'claude-batch.yaml': yaml })).toContain(
      'there is no profile of that name; claude-batch.yaml has only night',
    )
    expect(await run({ 'claude-batch.yaml': 'rpm: 1' })).toContain('has no profiles')
    expect(await run({})).toContain('there is no claude-batch.yaml here or above')
  })

  it('is ignored with a warning inside an input folder, unless --config names it', async () => {
    const cwd = await createFolder({ 'docs/claude-batch.yaml': 'retries: 9', 'docs/a.md': 'A' })
    const run = (...args: string[]) => runInProcess(['config', ...args], { cwd: join(cwd, 'docs'), env: {} })
    const within = await run('.')
    expect(within.stdout).toMatch(/retries: 3 +# default/)
    expect(within.stderr).toContain('it lies inside an input; name it with --config')
    expect((await run('a.md')).stdout).toMatch(/retries: 9/)
    expect((await run('.', '--config', 'claude-batch.yaml')).stdout).toMatch(/retries: 9/)
  })

  it.skipIf(process.getuid?.() !== 0)('is ignored with a warning if it belongs to another user', async () => {
    const cwd = await createFolder({ 'claude-batch.yaml': 'retries: 9' })
    await chown(join(cwd, 'claude-batch.yaml'), 12345, 12345)
    const { stdout, stderr } = await runInProcess(['config'], { cwd, env: {} })
    expect(stdout).toMatch(/retries: 3 +# default/)
    expect(stderr).toContain('belongs to another user')
  })

  it('environment variables can set switches and lists, and an invalid value is rejected', async () => {
    const { settings, stderr } = await shown({}, [], {
      CLAUDE_BATCH_HIDDEN: 'yes',
      CLAUDE_BATCH_IGNORE: '0',
      CLAUDE_BATCH_EXCLUDE: 'a\nb',
      CLAUDE_BATCH_MODEL: '',
      CLAUDE_BATCH_PORT: '80',
      CLAUDE_BATCH_RMP: '5',
    })
    expect(settings).toMatchObject({
      hidden: ['true', 'CLAUDE_BATCH_HIDDEN'],
      exclude: ['["a","b"]', 'CLAUDE_BATCH_EXCLUDE'],
    })
    expect([settings['ignore']?.[0], settings['model']]).toEqual(['false', undefined])
    expect(stderr).toBe(
      'claude-batch: CLAUDE_BATCH_RMP is ignored: there is no such setting; did you mean CLAUDE_BATCH_RPM?\n',
    )
    expect(await shown({}, [], { CLAUDE_BATCH_HIDDEN: 'perhaps' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('CLAUDE_BATCH_HIDDEN: expected true or false'),
    })
  })

  it('may contain the output of `config`, including relative paths', async () => {
    const first = await shown({ 'claude-batch.yaml': yaml })
    const again = await shown({
      'claude-batch.yaml': first.stdout.replaceAll(/(: )\/\S*\/(sums|runs)/g, '$1$2'),
    })
    const values = (settings: typeof first.settings) =>
      Object.entries(settings).map(([key, [value]]) => [key, value])
    expect(values(again.settings)).toEqual(values(first.settings))
  })
})

describe('the user configuration', () => {
  const own = {
    'home/.config/claude-batch/config.yaml':
      'rpm: 70\nretries: 9\nout: sums\nallow-http: [gateway.internal]\n',
  }
  /** The settings in the folder `work` of a folder with the given files, for a user whose home is `home`. */
  const seen = async (files: Record<string, string>, args: string[] = [], env = {}) => {
    const cwd = await createFolder({ 'work/docs/a.md': 'A', ...files })
    const ended = await runInProcess(['config', ...args], {
      cwd: join(cwd, 'work'),
      env: { HOME: join(cwd, 'home'), ...env },
    })
    const rows = [...ended.stdout.matchAll(/^([a-z-]+): (.*?) +# (.*)$/gm)].map(
      ([, key = '', value = '', origin = '']) =>
        [key, [value.replace(cwd, '~'), origin.replace(cwd, '~')]] as const,
    )
    return { ...ended, cwd, settings: Object.fromEntries(rows) as Record<string, readonly string[]> }
  }
  const origin = '~/home/.config/claude-batch/config.yaml'

  it('is read in every working directory, and may set allow-http', async () => {
    const { settings, stderr } = await seen(own)
    expect(stderr).toBe('')
    expect(settings).toMatchObject({
      rpm: ['70', `${origin}:1`],
      out: ['~/home/.config/claude-batch/sums', `${origin}:3`],
      'allow-http': ['["gateway.internal"]', `${origin}:4`],
    })
  })

  it('may be config.yml, but not next to config.yaml', async () => {
    const yml = { 'home/.config/claude-batch/config.yml': 'rpm: 71' }
    expect((await seen(yml)).settings['rpm']).toEqual(['71', '~/home/.config/claude-batch/config.yml:1'])
    const both = await seen({ ...own, ...yml })
    expect(both.code).toBe(2)
    expect(both.stderr).toMatch(/config\.yaml and .*config\.yml/)
  })

  it('is overridden by the configuration file of the project and by a variable', async () => {
    const { settings } = await seen({ ...own, 'work/claude-batch.yaml': 'rpm: 50\n' }, [], {
      CLAUDE_BATCH_ALLOW_HTTP: 'a.example\nb.example',
    })
    expect(settings['rpm']).toEqual(['50', 'claude-batch.yaml:1'])
    expect(settings['retries']).toEqual(['9', `${origin}:2`])
    expect(settings['allow-http']).toEqual(['["a.example","b.example"]', 'CLAUDE_BATCH_ALLOW_HTTP'])
  })

  it('is ignored if --config names another file', async () => {
    const { settings } = await seen({ ...own, 'work/mine.yaml': 'rpm: 50' }, ['--config', 'mine.yaml'])
    expect([settings['rpm'], settings['retries']]).toEqual([
      ['50', 'mine.yaml:1'],
      ['3', 'default'],
    ])
  })

  it('is read from XDG_CONFIG_HOME, unless that is a relative path', async () => {
    const files = { ...own, 'xdg/claude-batch/config.yaml': 'retries: 8' }
    const cwd = await createFolder(files)
    for (const [xdg, retries] of [
      [join(cwd, 'xdg'), '8'],
      ['../xdg', '9'],
      ['', '9'],
    ]) {
      const env = { HOME: join(cwd, 'home'), XDG_CONFIG_HOME: xdg ?? '' }
      expect((await runInProcess(['config'], { cwd, env })).stdout).toMatch(
        new RegExp(`^retries: ${retries} `, 'm'),
      )
    }
    expect((await runInProcess(['config'], { cwd, env: { HOME: 'home' } })).stdout).toMatch(/^retries: 3 /m)
  })

  it('may have profiles, which override every setting outside a profile', async () => {
    const files = {
      'home/.config/claude-batch/config.yaml': 'profiles: { night: { rpm: 7, itpm: 700 }, day: {} }',
      'work/claude-batch.yaml': 'rpm: 50\nprofiles: { night: { itpm: 900 } }',
    }
    const { settings } = await seen(files, ['--profile', 'night'])
    expect(settings).toMatchObject({ rpm: ['7', `${origin}:1`], itpm: ['900', 'claude-batch.yaml:2'] })
    expect(await seen(files, ['--profile', 'noon'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/config\.yaml has only night, day, claude-batch\.yaml has only night/),
    })
    const { stdout } = await runInProcess(['complete', '--', 'summarize', '--profile', ''], {
      cwd: join((await seen(files)).cwd, 'work'),
      env: {},
    })
    expect(stdout).toBe('night\n')
  })

  it.skipIf(process.getuid?.() !== 0)('is ignored with a warning if it belongs to another user', async () => {
    const cwd = await createFolder(own)
    await chown(join(cwd, 'home/.config/claude-batch/config.yaml'), 12345, 12345)
    const { stdout, stderr } = await runInProcess(['config'], { cwd, env: { HOME: join(cwd, 'home') } })
    expect(stdout).toMatch(/retries: 3 +# default/)
    expect(stderr).toContain('belongs to another user')
  })
})

describe('allow-http', () => {
  const advice =
    /^claude-batch: claude-batch\.yaml:\d:\d+: allow-http .*config\.yaml, or name this file with --config/

  it.each([
    'allow-http: [gateway.internal]',
    'allow-http: []',
    'profiles: { night: { allow-http: gateway.internal } }',
  ])('is rejected in a file that --config does not name: %s', async (yaml) => {
    const cwd = await createFolder({ 'docs/a.md': 'A', 'claude-batch.yaml': yaml })
    for (const command of [
      ['config'],
      ['summarize', 'docs', '--simulate'],
      ['serve', '--simulate'],
      ['batches', 'status'],
    ])
      expect(await runInProcess(command, { cwd, env: {} })).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(advice),
      })
    expect(await runInProcess(['config', '--config', 'claude-batch.yaml'], { cwd, env: {} })).toMatchObject({
      code: 0,
    })
    expect(
      await runInProcess(['config'], { cwd, env: { CLAUDE_BATCH_CONFIG: 'claude-batch.yaml' } }),
    ).toMatchObject({
      code: 0,
    })
  })

  it('accepts only a host, without scheme, port or wildcard', async () => {
    const cwd = await createFolder({ 'mine.yaml': 'allow-http: [http://gateway.internal]' })
    for (const [args, env] of [
      [['--allow-http', 'gateway.internal:8080'], {}],
      [['--config', 'mine.yaml'], {}],
      [[], { CLAUDE_BATCH_ALLOW_HTTP: '*.internal' }],
    ] as const)
      expect(await runInProcess(['config', ...args], { cwd, env })).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(
          'expected a host like gateway.internal, without scheme, port or path',
        ),
      })
  })
})

describe('setting names', () => {
  it('have the same meaning in all commands', () => {
    for (const [key, flag] of [...indexFlagsByKey(serveFlags), ...indexFlagsByKey(compareFlags)]) {
      const other = indexFlagsByKey(summarizeFlags).get(key)
      if (other !== undefined)
        expect([flag.syntax, flag.group, flag.parse?.schema.type]).toEqual([
          other.syntax,
          other.group,
          other.parse?.schema.type,
        ])
      expect([key, getVariableName(flag)]).toEqual([
        key,
        `CLAUDE_BATCH_${key.toUpperCase().replaceAll('-', '_')}`,
      ])
    }
  })

  it('are suggested by findNearestName if one letter is wrong', () => {
    const keys = [...indexFlagsByKey(summarizeFlags).keys()].filter((key) => key.length > 4)
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.nat(20), fc.constantFrom('', 'x', 'zq'), (key, at, put) => {
        const cut = at % key.length
        const wrong = key.slice(0, cut) + put + key.slice(cut + 1)
        expect(findNearestName(wrong, keys)).toBeDefined()
        if (put === 'x' && cut > 2) expect(keys).toContain(findNearestName(wrong, keys))
      }),
    )
    expect(findNearestName('loudspeakers', keys)).toBeUndefined()
    expect(getConfigKey({ group: '', syntax: '-0, --null', help: '' })).toBe('null')
  })
})
