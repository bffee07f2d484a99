import { chown, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareFlags } from '../../src/config/compare-flags.ts'
import {
  findNearestName,
  getConfigKey,
  getVariableName,
  indexFlagsByKey,
} from '../../src/config/flag-names.ts'
import { serveFlags } from '../../src/config/serve-flags.ts'
import { summarizeFlags } from '../../src/config/summarize-flags.ts'
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

/** The settings as \`config\` shows them: value and origin by key. */
async function shown(files: Record<string, string>, args: string[] = [], env = {}, folder = '') {
  const cwd = await createFolder({ 'docs/a.md': 'A', ...files })
  const ended = await runInProcess(['config', ...args], { cwd: join(cwd, folder), env })
  const rows = [...ended.stdout.matchAll(/^([a-z-]+): (.*?) +# (.*)$/gm)].map(
    ([, key = '', value = '', origin = '']) => [key, [value.replace(cwd, '~'), origin]] as const,
  )
  return { ...ended, settings: Object.fromEntries(rows) as Record<string, readonly string[]> }
}

describe('the configuration', () => {
  it('is read from the working directory, with the names of the flags', async () => {
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

  it('is shown as a file may have it', async () => {
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

  it('is found above, and its paths are seen from where it lies', async () => {
    const { settings } = await shown({ 'claude-batch.yaml': 'out: sums', 'a/b/x.md': '' }, [], {}, 'a/b')
    expect(settings['out']?.[0]).toBe('~/sums')
  })

  it('gives way to a profile, that to a variable, and that to a flag', async () => {
    const files = { 'claude-batch.yaml': yaml }
    const rpm = async (args: string[], env = {}) => (await shown(files, args, env)).settings['rpm']
    expect(await rpm([])).toEqual(['50', 'claude-batch.yaml:2'])
    expect(await rpm(['--profile', 'night'])).toEqual(['500', 'claude-batch.yaml:15'])
    expect(await rpm([], { CLAUDE_BATCH_PROFILE: 'night' })).toEqual(['500', 'claude-batch.yaml:15'])
    const env = { CLAUDE_BATCH_RPM: '70' }
    expect(await rpm(['--profile', 'night'], env)).toEqual(['70', 'CLAUDE_BATCH_RPM'])
    expect(await rpm(['--rpm', '90', '--profile', 'night'], env)).toEqual(['90', 'command line'])
  })

  it('is read from claude-batch.yml as well, and from the nearest folder whatever the extension', async () => {
    const { settings } = await shown({ 'claude-batch.yml': yaml })
    expect(settings['rpm']).toEqual(['50', 'claude-batch.yml:2'])
    const files = { 'claude-batch.yaml': 'rpm: 1', 'a/claude-batch.yml': 'rpm: 2', 'a/b/x.md': '' }
    expect((await shown(files, [], {}, 'a/b')).settings['rpm']?.[0]).toBe('2')
  })

  it('in two files with different extensions ends the run with both their names', async () => {
    const files = { 'claude-batch.yaml': yaml, 'claude-batch.yml': yaml }
    const { code, stderr } = await shown(files)
    expect(code).toBe(2)
    expect(stderr).toMatch(/two configurations, .*claude-batch\.yaml and .*claude-batch\.yml; remove one/)
    expect((await shown(files, ['--config', 'claude-batch.yml'])).code).toBe(0)
  })

  it('that is one file under both extensions is read', async () => {
    const cwd = await createFolder({ 'claude-batch.yaml': yaml })
    await symlink('claude-batch.yaml', join(cwd, 'claude-batch.yml'))
    expect(await runInProcess(['config'], { cwd, env: {} })).toMatchObject({ code: 0, stderr: '' })
  })

  it('can be another file, which then is the only one', async () => {
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
    ['zzzzzzzzz: 1', /1:1: there is no setting "zzzzzzzzz"\n$/],
    ['retries: 99', /1:10: retries: expected a whole number from 0 to 20, got "99"/],
    ['retries: [1, 2]', /1:10: retries: expected one value, not a list/],
    ['rpm: { a: 1 }', /1:6: rpm: expected a text or a number/],
    ['hidden: 1', /1:9: hidden: expected true or false/],
    ['model:', /1:\d: model: expected/],
    ['var: [a]', /1:6: var: expected a mapping/],
    ['rpm: 1\nrpm: 2', /2:1: .*unique/],
    ['rpm: [', /1:\d+: /],
    ['- rpm', /1:1: .*must map/],
    ['profiles: 5', /1:11: .*must map/],
    ['profiles:\n  night:\n    modle: opus', /3:5: .*"modle"; did you mean model\?/],
    ['a: &a [x,x]\nb: *a', /1:1: there is no setting "a"/],
  ])('with a mistake ends every run before anything is done: %j', async (text, message) => {
    const cwd = await createFolder({ 'docs/a.md': 'A', 'claude-batch.yaml': text })
    for (const command of [['config'], ['summarize', 'docs', '--simulate'], ['serve', '--simulate']]) {
      const { code, stderr, stdout } = await runInProcess(command, { cwd, env: {} })
      expect([code, stdout, stderr.split('\n').length]).toEqual([2, '', 2])
      expect(stderr).toMatch(message)
    }
  })

  it('names the profiles there are', async () => {
    const run = async (files: Record<string, string>) => (await shown(files, ['--profile', 'day'])).stderr
    expect(await run({ 'claude-batch.yaml': yaml })).toContain('has the profiles night')
    expect(await run({ 'claude-batch.yaml': 'rpm: 1' })).toContain('has no profiles')
    expect(await run({})).toContain('there is no claude-batch.yaml here or above')
  })

  it('is not read from what is summarized, unless it is named', async () => {
    const cwd = await createFolder({ 'docs/claude-batch.yaml': 'retries: 9', 'docs/a.md': 'A' })
    const run = (...args: string[]) => runInProcess(['config', ...args], { cwd: join(cwd, 'docs'), env: {} })
    const within = await run('.')
    expect(within.stdout).toMatch(/retries: 3 +# default/)
    expect(within.stderr).toContain('it lies inside an input; name it with --config')
    expect((await run('a.md')).stdout).toMatch(/retries: 9/)
    expect((await run('.', '--config', 'claude-batch.yaml')).stdout).toMatch(/retries: 9/)
  })

  it.skipIf(process.getuid?.() !== 0)('is not read where it is another user’s', async () => {
    const cwd = await createFolder({ 'claude-batch.yaml': 'retries: 9' })
    await chown(join(cwd, 'claude-batch.yaml'), 12345, 12345)
    const { stdout, stderr } = await runInProcess(['config'], { cwd, env: {} })
    expect(stdout).toMatch(/retries: 3 +# default/)
    expect(stderr).toContain('belongs to another user')
  })

  it('takes switches and lists from the environment, and refuses what it cannot read', async () => {
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

  it('as it is shown can be saved, and shows the same', async () => {
    const first = await shown({ 'claude-batch.yaml': yaml })
    const again = await shown({
      'claude-batch.yaml': first.stdout.replaceAll(/(: )\/\S*\/(sums|runs)/g, '$1$2'),
    })
    const values = (settings: typeof first.settings) =>
      Object.entries(settings).map(([key, [value]]) => [key, value])
    expect(values(again.settings)).toEqual(values(first.settings))
  })
})

describe('the user’s own configuration', () => {
  const own = {
    'home/.config/claude-batch/config.yaml':
      'rpm: 70\nretries: 9\nout: sums\nallow-http: [gateway.internal]\n',
  }
  /** The settings in a working directory that has these files, for a user whose folder is beside it. */
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

  it('is read in every working directory, and lifts protections', async () => {
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

  it('gives way to the file that is found, and to a variable', async () => {
    const { settings } = await seen({ ...own, 'work/claude-batch.yaml': 'rpm: 50\n' }, [], {
      CLAUDE_BATCH_ALLOW_HTTP: 'a.example\nb.example',
    })
    expect(settings['rpm']).toEqual(['50', 'claude-batch.yaml:1'])
    expect(settings['retries']).toEqual(['9', `${origin}:2`])
    expect(settings['allow-http']).toEqual(['["a.example","b.example"]', 'CLAUDE_BATCH_ALLOW_HTTP'])
  })

  it('is not read where another file is named', async () => {
    const { settings } = await seen({ ...own, 'work/mine.yaml': 'rpm: 50' }, ['--config', 'mine.yaml'])
    expect([settings['rpm'], settings['retries']]).toEqual([
      ['50', 'mine.yaml:1'],
      ['3', 'default'],
    ])
  })

  it('is where XDG_CONFIG_HOME says, unless that is relative', async () => {
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

  it('has profiles too, which override everything outside profiles', async () => {
    const files = {
      'home/.config/claude-batch/config.yaml': 'profiles: { night: { rpm: 7, itpm: 700 }, day: {} }',
      'work/claude-batch.yaml': 'rpm: 50\nprofiles: { night: { itpm: 900 } }',
    }
    const { settings } = await seen(files, ['--profile', 'night'])
    expect(settings).toMatchObject({ rpm: ['7', `${origin}:1`], itpm: ['900', 'claude-batch.yaml:2'] })
    expect(await seen(files, ['--profile', 'noon'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /config\.yaml has the profiles night, day, claude-batch\.yaml has the profiles night/,
      ),
    })
    const { stdout } = await runInProcess(['complete', '--', 'summarize', '--profile', ''], {
      cwd: join((await seen(files)).cwd, 'work'),
      env: {},
    })
    expect(stdout).toBe('night\n')
  })

  it.skipIf(process.getuid?.() !== 0)('is not read where it is another user’s', async () => {
    const cwd = await createFolder(own)
    await chown(join(cwd, 'home/.config/claude-batch/config.yaml'), 12345, 12345)
    const { stdout, stderr } = await runInProcess(['config'], { cwd, env: { HOME: join(cwd, 'home') } })
    expect(stdout).toMatch(/retries: 3 +# default/)
    expect(stderr).toContain('belongs to another user')
  })
})

describe('a setting that lifts a protection', () => {
  const advice =
    /^claude-batch: claude-batch\.yaml:\d:\d+: allow-http .*config\.yaml, or name this file with --config/

  it.each([
    'allow-http: [gateway.internal]',
    'allow-http: []',
    'profiles: { night: { allow-http: gateway.internal } }',
  ])('is not taken from a file that was merely found: %s', async (yaml) => {
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

  it('is a host and nothing more', async () => {
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

describe('the names of settings', () => {
  it('mean one thing in all commands', () => {
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

  it('are found again with a letter wrong', () => {
    const keys = [...indexFlagsByKey(summarizeFlags).keys()].filter((key) => key.length > 4)
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.nat(20), fc.constantFrom('', 'x', 'zq'), (key, at, put) => {
        const cut = at % key.length
        const wrong = key.slice(0, cut) + put + key.slice(cut + 1)
        expect(findNearestName(wrong, keys)).toBeDefined()
        if (put === 'x' && cut > 2) expect(keys).toContain(findNearestName(wrong, keys))
      }),
    )
    expect(findNearestName('conections', keys)).toBeUndefined()
    expect(getConfigKey({ group: '', syntax: '-0, --null', help: '' })).toBe('null')
  })
})
