import { chmod, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadPrompt } from '../../src/inputs/prompts/load-prompt.ts'
import { runChecked } from '../support/run-checked.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const prose = (topic: string) =>
  `# About ${topic}\n\nThe harbour board met about ${topic} and decided to dredge the channel.\n`
const version = (name: string, template = '{text}') => `  ${name}:\n    user_template: "${template}"\n`
const one = (body: string) => `versions:\n  v1:\n    user_template: "{text}"\n    ${body}\n`

/** Runs the program and checks that it exits with 2 and one line, before it sends or writes anything. */
async function refused(
  files: Record<string, string | Buffer>,
  args: string[],
  env: Record<string, string> = {},
) {
  const cwd = await createFolder({ 'a.md': prose('ale'), ...files })
  const service = await startService({})
  const ended = await runChecked(args, { cwd, env: { ...service.env, ...env } })
  expect(ended.code, ended.stderr).toBe(2)
  expect(ended.stderr).toMatch(/^claude-batch: [^\n]*\n$/)
  expect(service.simulator.stats().requests).toBe(0)
  expect(await readdir(cwd)).not.toContain('summaries')
  return ended
}
/** Runs the whole program with this prompt file, which must be refused. */
const withPrompt = async (yaml: string | Buffer) =>
  refused({ 'mine.yaml': yaml }, ['summarize', 'a.md', '--prompt', './mine.yaml'])

/** Returns the usage error for this prompt file, without a run: all mistakes in it end a run the same way. */
async function mistakeIn(yaml: string | Buffer, name = './mine.yaml'): Promise<string> {
  const cwd = await createFolder({ 'mine.yaml': yaml, 'folder.yaml/x': '' })
  const mistake = await loadPrompt(name, { cwd, inputRoots: [], vars: [] }).catch((error) => error)
  expect(mistake).toMatchObject({ name: 'UsageError', exit: 'usage' })
  return (mistake as Error).message
}

describe('a prompt file', () => {
  it('C01 a file that is not YAML is reported with line and column', async () => {
    expect((await withPrompt('versions:\n  v1: [')).stderr).toMatch(/ \.\/mine\.yaml:2:\d+: /)
  })

  it('C02 an alias bomb is reported immediately', async () => {
    const levels = Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}, *a${n}]`)
    expect(await mistakeIn(`a0: &a0 [x]\n${levels.join('\n')}\n`)).toContain('too many aliases')
  })

  it('C03 a file that is nested 20,000 deep is reported immediately', async () => {
    const { stderr } = await withPrompt(`versions: ${'['.repeat(20_000)}`)
    expect(stderr).toMatch(/mine\.yaml:1:\d+: nested too deeply/)
  })

  it.each([
    ['a duplicate key', `versions:\n${version('v1')}${version('v1')}`, /:4:3: "v1" occurs twice/],
    ['two documents', `versions:\n${version('v1')}---\na: 1\n`, /:\d+:\d+: .*multiple documents/],
    ['a tag', 'versions: !!js/function x', /:1:11: not valid YAML: Unresolved tag/],
  ])('C04 %s is reported with its line', async (_name, yaml, message) => {
    expect(await mistakeIn(yaml)).toMatch(message)
  })

  it.each([
    [
      'C05 an unknown key',
      one('concurency: 5'),
      /:4:5: unknown key "concurency" in v1; the keys are system, user_t/,
    ],
    [
      'C06 a string instead of a number',
      one('max_tokens: "5"'),
      /:4:17: `max_tokens` of v1 must be a whole number/,
    ],
    [
      'C06 a list instead of a string',
      'versions:\n  v1:\n    user_template: [a]\n',
      /`user_template` of v1 must be a text/,
    ],
    [
      'C07 a template without {text}',
      `versions:\n${version('v1', 'Sum up')}`,
      /:3:20: .* no \{text\}, the placeholder for/,
    ],
    [
      'C08 an unknown placeholder',
      `versions:\n${version('v1', '{txt} {text}')}`,
      /unknown placeholder \{txt\}; use \{text\}, \{path\}, \{name\}, \{title\}, or set it with --var txt=/,
    ],
    ['C09 a missing default version', `default: v99\nversions:\n${version('v1')}`, /`default: v99` is not/],
    ['C10 the key __proto__', one('__proto__: {x: 1}'), /unknown key "__proto__"/],
    [
      'C10 the key constructor',
      `constructor: {x: 1}\nversions:\n${version('v1')}`,
      /unknown key "constructor"/,
    ],
    ['C10 the version name __proto__', `versions:\n${version('__proto__')}`, /a version is called v1, v2/],
  ])('%s is reported with its position', async (_name, yaml, message) => {
    expect(await mistakeIn(yaml)).toMatch(message)
  })

  it('C10 --var __proto__=x and --var constructor=x are placeholders like any other', async () => {
    const yaml = `versions:\n${version('v1', '{constructor} {__proto__} {text}')}`
    const cwd = await createFolder({ 'a.md': prose('ale'), 'mine.yaml': yaml })
    const sent: string[] = []
    const { env } = await startService({
      script: ({ request }) => {
        sent.push(request.lastText)
        return { kind: 'answer', delayMs: 1 }
      },
    })
    const vars = ['--var', '__proto__=p', '--var', 'constructor=c']
    const { code } = await runChecked(['summarize', 'a.md', '--prompt', './mine.yaml', ...vars], { cwd, env })
    expect([code, sent[0]?.slice(0, 5)]).toEqual([0, 'c p <'])
  })

  it.each(['.nan', '.inf', '-1', '0', '1e400', '1.5'])(
    'C11 a max_tokens of %s is reported',
    async (value) => {
      expect(await mistakeIn(one(`max_tokens: ${value}`))).toMatch(/:4:17: `max_tokens` of v1 must be/)
    },
  )

  it('C17 a prompt file that is a directory, missing or not UTF-8 is reported', async () => {
    expect(await mistakeIn('', './folder.yaml')).toContain('folder.yaml: not a regular file')
    expect(await mistakeIn('', './gone.yaml')).toContain('gone.yaml: no such file')
    expect(await mistakeIn(Buffer.from('versions: # f\xfcr', 'latin1'))).toContain('mine.yaml is not UTF-8')
  })

  it('C18 a prompt file inside the input folder is not used', async () => {
    const cwd = await createFolder({ 'a.md': prose('ale'), 'prompts/summarize.yaml': 'versions: {nonsense' })
    const { env } = await startService({})
    const { code, stderr } = await runChecked(['summarize', '.'], { cwd, env })
    expect([code, stderr]).toEqual([0, expect.stringContaining('summarize@v3 (latest, shipped)')])
  })
})

describe('a flag', () => {
  it.each(['abc', '5x', '0', '-1', '1.5', '1e9', '257', ''])(
    'C12 --concurrency %j is rejected',
    async (value) => {
      const { stderr } = await refused({}, ['summarize', 'a.md', `--concurrency=${value}`])
      expect(stderr).toContain(
        `--concurrency: expected a whole number from 1 to 256, got ${JSON.stringify(value)}`,
      )
    },
  )

  it.each([
    ['--time-limit', '5parsecs'],
    ['--time-limit', '-1'],
    ['--time-limit', 'NaN'],
    ['--time-limit', '0'],
    ['--max-failures', '0'],
    ['--lock-timeout', '$5'],
    ['--rpm', 'Infinity'],
    ['--max-cost', 'NaN'],
    ['--max-cost', '-1'],
    ['--max-cost', '$5'],
    ['--max-wait', '1e3'],
  ])('C13 %s %s is rejected', async (flag, value) => {
    const { stderr } = await refused({}, ['summarize', 'a.md', `${flag}=${value}`])
    expect(stderr).toMatch(
      new RegExp(`^claude-batch: ${flag}: expected a .*, got "${value.replace('$', '\\$')}"`),
    )
  })

  it('C14 an unknown model ends the run instead of failing every document', async () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`docs/${n}.md`, prose(`${n}`)]))
    const cwd = await createFolder(files)
    const { env, simulator } = await startService({})
    const args = ['summarize', 'docs', '--model', 'claude-haiku-9', '--concurrency', '2']
    const { code, stderr, written } = await runChecked(args, { cwd, env })
    expect([code, Object.keys(written)]).toEqual([4, []])
    expect(stderr).toMatch(/404 not_found_error.*choose another, for example .*claude-haiku-5-5/)
    // Three refused documents decide, and one more can be in flight.
    expect(simulator.stats().requests).toBeLessThanOrEqual(4)
  })

  it('C19 an unknown flag or command is rejected with a suggestion', async () => {
    expect((await refused({}, ['summarize', 'a.md', '--concurency', '5'])).stderr).toMatch(
      /unknown option '--concurency' \(Did you mean --concurrency\?\)\. See claude-batch summarize --help\n$/,
    )
    expect((await refused({}, ['summarise', 'a.md'])).stderr).toContain('(Did you mean summarize?)')
  })

  it.each([
    ['--quiet', ['--quiet', '--verbose'], '--quiet and --verbose cannot be combined'],
    ['--format', ['--format', 'jsonl'], '--format is for stdout; add -o - or remove it'],
    ['--format', ['-o', '-', '--format', 'md'], '--format: expected text or jsonl, got "md"'],
  ])('C22 %s is rejected if it contradicts another flag', async (_name, args, message) => {
    expect((await refused({}, ['summarize', 'a.md', ...args])).stderr).toContain(message)
  })
})

describe('credentials', () => {
  it('C15 missing credentials are reported with all accepted sources', async () => {
    const { stderr } = await refused({}, ['summarize', 'a.md'], { ANTHROPIC_API_KEY: '' })
    expect(stderr).toMatch(
      /no credentials found: set ANTHROPIC_API_KEY \(or ANTHROPIC_AUTH_TOKEN, or an Anthropic profile\)/,
    )
  })

  it('C16 a line break after the key is ignored; one inside is reported without the key', async () => {
    const cwd = await createFolder({ 'a.md': prose('ale') })
    const { env } = await startService({})
    const args = ['summarize', 'a.md', '-q']
    const trailing = { ...env, ANTHROPIC_API_KEY: 'sk-ant-test-0123456789\n' }
    expect((await runInProcess(args, { cwd, env: trailing })).code).toBe(0)
    const inner = { ...env, ANTHROPIC_API_KEY: 'sk-ant-first\nsk-ant-second' }
    const { code, stderr } = await runInProcess([...args, '--redo', 'all'], { cwd, env: inner })
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('ANTHROPIC_API_KEY has characters no key has'),
    ])
    expect(stderr).not.toMatch(/sk-ant|first|second/)
  })

  it('C16 a key with a line break inside is rejected before anything is written', async () => {
    await refused({}, ['summarize', 'a.md'], { ANTHROPIC_API_KEY: 'sk-ant-first\nsk-ant-second' })
  })

  it.each(['"sk-ant-test"', "'sk-ant-test'", 'sk-ant test', 'sk-ant-tést'])(
    'C16 the key %s is rejected before anything is sent',
    async (key) => {
      const { stderr } = await refused({}, ['summarize', 'a.md'], { ANTHROPIC_API_KEY: key })
      expect(stderr).toContain('ANTHROPIC_API_KEY has characters no key has')
    },
  )
})

it('C23 C24 the last value of a repeated flag counts; patterns and placeholders in a document are sent unchanged', async () => {
  const text =
    "a $& $1 $` $' $$ {{name}} {name} {text} {{ }} \\n \\u0041 %s $x $0 <b>&amp;</b> \"'\u0001\u2028\n"
  const yaml = `versions:\n${version('v1', '{{x}} {name}|{text}|{name}')}`
  const cwd = await createFolder({ 'a.md': text, 'mine.yaml': yaml })
  const sent: string[] = []
  const { env } = await startService({
    script: ({ request }) => {
      sent.push(request.model, request.lastText)
      return { kind: 'answer', delayMs: 1 }
    },
  })
  const twice = ['--model', 'opus', '--model', 'sonnet', '-o', 'x', '-o', 'summaries']
  const { code } = await runChecked(['summarize', 'a.md', '--prompt', './mine.yaml', ...twice], { cwd, env })
  expect(code).toBe(0)
  const [, tag] = /<(document-[0-9a-f]{16})>/.exec(sent[1] ?? '') ?? []
  expect(sent).toEqual(['claude-sonnet-5-5', `{x} a.md|<${tag}>\n${text}\n</${tag}>|a.md`])
})

it('C26 a relative XDG_CONFIG_HOME is rejected, and no credentials are read from it', async () => {
  const profile = { authentication: { type: 'user_oauth', client_id: 'c' } }
  const token = {
    type: 'oauth_token',
    access_token: 'planted',
    refresh_token: 'r',
    expires_at: 9_999_999_999,
  }
  const planted = {
    'conf/anthropic/configs/default.json': JSON.stringify(profile),
    'conf/anthropic/credentials/default.json': JSON.stringify(token),
  }
  const cwd = await createFolder({ 'a.md': prose('ale'), ...planted })
  await chmod(join(cwd, 'conf/anthropic/credentials/default.json'), 0o600)
  const { env, simulator } = await startService({})
  const alone = { ANTHROPIC_BASE_URL: env['ANTHROPIC_BASE_URL'] ?? '', XDG_CONFIG_HOME: 'conf' }
  const { code, stderr } = await runChecked(['summarize', 'a.md'], { cwd, env: alone })
  expect([code, stderr]).toEqual([2, expect.stringContaining('XDG_CONFIG_HOME must be an absolute path')])
  expect(simulator.stats().requests).toBe(0)
})

describe('a configuration file', () => {
  it.each([
    ['C05', 'concurency: 5', /1:1: .*"concurency"; did you mean concurrency\?/],
    ['C06', 'concurrency: "5"', /1:14: concurrency: expected a number, without quotes, not "5"/],
    ['C06', 'model: [haiku]', /1:8: model: expected one value, not a list/],
    ['C09', 'version: 99', /1:1: there is no setting "version"/],
    ...['.nan', '.inf', '-1', '0', '1e400'].map(
      (value) => ['C11', `rpm: ${value}`, /1:6: rpm: expected a number above 0/] as const,
    ),
  ] as const)(
    '%s the line `%s` is rejected with its position, before anything is sent',
    async (_row, yaml, message) => {
      const cwd = await createFolder({ 'claude-batch.yaml': yaml, 'a.md': 'A' })
      const { code, stderr } = await runInProcess(['summarize', 'a.md', '--simulate'], { cwd, env: {} })
      expect([code, stderr.split('\n').length]).toEqual([2, 2])
      expect(stderr).toMatch(message)
    },
  )

  it('C17 an unreadable file after --config is reported', async () => {
    const cwd = await createFolder({ 'a.md': 'A', 'folder/x': '', 'large.yaml': '#'.repeat(2_000_000) })
    for (const [file, why] of [
      ['gone.yaml', 'no such file'],
      ['folder', 'not a regular file'],
      ['/dev/zero', 'not a regular file'],
      ['large.yaml', 'larger than 1 MB'],
    ] as const) {
      const { code, stderr } = await runInProcess(['summarize', 'a.md', '--config', file], { cwd, env: {} })
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining(`cannot read the configuration ${file}: ${why}`),
      ])
    }
  })

  it('C18 a configuration file inside an input folder is ignored with a warning', async () => {
    const cwd = await createFolder({ 'claude-batch.yaml': 'rpm: [', 'a.md': 'A' })
    const { code, stderr } = await runInProcess(['summarize', '.', '--simulate'], { cwd, env: {} })
    expect([code, stderr]).toEqual([0, expect.stringContaining('it lies inside an input')])
  })
})
it('C21 the error for CLAUDE_BATCH_CONCURRENCY=abc names the variable', async () => {
  const cwd = await createFolder({ 'a.md': 'A' })
  const env = { CLAUDE_BATCH_CONCURRENCY: 'abc' }
  expect(await runInProcess(['summarize', 'a.md', '--simulate'], { cwd, env })).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^claude-batch: CLAUDE_BATCH_CONCURRENCY: expected a whole number .*"abc"/),
  })
})
