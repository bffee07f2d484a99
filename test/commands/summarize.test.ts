import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import { createFolder, runCli, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const prose = (n: number) =>
  `# Document ${n}\n\nThe harbour board met on ${n} May about the channel. It decided to dredge it for ${n},000 euros.\n`
const docs = (count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`docs/${String.fromCharCode(97 + n)}.md`, prose(n)]),
  )
const answer: Behaviour = { kind: 'answer', delayMs: 5 }
const onlyFor = (part: string, behaviour: Behaviour) => (text: string) =>
  text.includes(part) ? behaviour : answer

const jsonLines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('claude-batch summarize', () => {
  it('writes one summary per file, the report to stderr, and nothing to stdout', async () => {
    const cwd = await createFolder(docs(3))
    const { env, simulator } = await startService({})
    const { code, stdout, stderr } = await runCli(['summarize', 'docs'], { cwd, env })
    expect(code).toBe(0)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/documents +3: 3 summarized/)
    expect(stderr).toMatch(/cost +\$0\.0\d+/)
    expect(await readdir(join(cwd, 'summaries/docs'))).toEqual([
      'a.md.summary.md',
      'b.md.summary.md',
      'c.md.summary.md',
    ])
    expect(simulator.stats()).toMatchObject({ requests: 3 })
  })

  it('reports exactly the tokens that the API bills', async () => {
    const cwd = await createFolder(docs(5))
    const { env, simulator } = await startService({ faults: { '529': 0.3, max_tokens: 0.2 }, seed: 4 })
    const { stderr } = await runInProcess(['summarize', 'docs', '--retries', '10'], { cwd, env })
    const { inputTokens, outputTokens } = simulator.stats().billed
    expect(stderr).toContain(
      `${inputTokens.toLocaleString('en-US')} in, ${outputTokens.toLocaleString('en-US')} out`,
    )
  })

  it('writes an error record for a document that gets a 400, sends it once, and summarizes the others', async () => {
    const cwd = await createFolder(docs(3))
    const bad: Behaviour = { kind: 'status', status: 400, message: 'messages: \u001b[31mno' }
    const { env, simulator } = await startService({
      script: ({ request }) => onlyFor('Document 1', bad)(request.text),
    })
    const { code, stderr } = await runInProcess(['summarize', 'docs'], { cwd, env })
    expect(code).toBe(1)
    expect(await readdir(join(cwd, 'summaries/docs'))).toEqual([
      'a.md.summary.md',
      'b.md.error.txt',
      'c.md.summary.md',
    ])
    const record = await readFile(join(cwd, 'summaries/docs/b.md.error.txt'), 'utf8')
    expect(record).toMatch(/^ERROR: 400 invalid_request_error: messages: \\x1b\[31mno\nrequest id: req_/)
    expect(stderr).toMatch(
      /claude-batch: docs\/b\.md: 400 invalid_request_error: messages: \\x1b\[31mno \[req_/,
    )
    expect(Math.max(...simulator.stats().prompts.values())).toBe(1)
  })

  it('exits with 75 if all failures are transient', async () => {
    const cwd = await createFolder(docs(2))
    const { env } = await startService({
      script: ({ request }) => onlyFor('Document 1', { kind: 'status', status: 529 })(request.text),
    })
    const { code, stderr } = await runInProcess(['summarize', 'docs', '--retries', '0'], { cwd, env })
    expect(code).toBe(75)
    expect(stderr).toContain('1 failed (retryable)')
  })

  /** A refusal may concern one document until several documents get it. */
  const mostRequests: Record<string, number> = { 'a redirect': 5 + 2, 'a wrong key': 3 + 2 }

  it.each<[string, Behaviour, RegExp]>([
    [
      'a wrong key',
      { kind: 'status', status: 401, message: 'invalid x-api-key' },
      /401 authentication_error: invalid x-api-key .*check ANTHROPIC_API_KEY/,
    ],
    [
      'exhausted credit',
      { kind: 'status', status: 400, message: 'Your credit balance is too low to access the Anthropic API.' },
      /add credit in the console/,
    ],
    [
      'a spend limit',
      { kind: 'status', status: 429, code: 'enforced_spend_limit_reached' },
      /access returns on the 1st/,
    ],
    [
      'a redirect',
      { kind: 'raw', status: 307, headers: { location: 'https://evil.example/' }, body: '' },
      /redirected to https:\/\/evil\.example/,
    ],
  ])(
    'ends the run immediately on %s, fails no document, and prints a fix',
    async (name, behaviour, message) => {
      const cwd = await createFolder(docs(20))
      const { env, simulator } = await startService({ script: () => behaviour })
      const { code, stderr } = await runInProcess(['summarize', 'docs', '--concurrency', '2'], { cwd, env })
      expect(code).toBe(4)
      expect(simulator.stats().requests).toBeLessThanOrEqual(mostRequests[name] ?? 2)
      expect(stderr).toMatch(message)
      expect(stderr).toMatch(/20 pending/)
      expect(await readdir(join(cwd, 'summaries'))).toEqual(['.claude-batch'])
    },
  )

  it('lists the known models if the API does not know the requested model', async () => {
    const cwd = await createFolder(docs(1))
    const { env } = await startService({})
    const { code, stderr } = await runInProcess(['summarize', 'docs', '--model', 'claude-haiku-9'], {
      cwd,
      env,
    })
    expect(code).toBe(4)
    expect(stderr).toMatch(/404 not_found_error.*choose another, for example .*haiku/)
  })

  it('writes one log entry per attempt, with its tokens', async () => {
    const cwd = await createFolder(docs(1))
    const { env } = await startService({
      script: ({ index }) => (index === 0 ? { kind: 'status', status: 529 } : answer),
    })
    await runInProcess(['summarize', 'docs', '--log', 'run.log'], { cwd, env })
    const lines = jsonLines(await readFile(join(cwd, 'run.log'), 'utf8'))
    expect(lines).toEqual([
      expect.objectContaining({
        path: 'docs/a.md',
        attempt: 1,
        status_code: 529,
        error_type: 'overloaded_error',
        input_tokens: null,
        model: 'claude-haiku-5-5',
      }),
      expect.objectContaining({
        path: 'docs/a.md',
        attempt: 2,
        status_code: 200,
        error_type: null,
        input_tokens: expect.any(Number),
        output_tokens: expect.any(Number),
        elapsed_ms: expect.any(Number),
        request_id: expect.stringMatching(/^req_/),
        started_at: expect.stringMatching(/^\d{4}-.*Z$/),
      }),
    ])
  })
})

describe('claude-batch in a pipeline', () => {
  it('summarizes stdin to stdout', async () => {
    const pages = Array.from({ length: 120 }, (_, n) => prose(n)).join('\n')
    const cwd = await createFolder({})
    const { env } = await startService({})
    const { code, stdout } = await runInProcess(['summarize', '-'], { cwd, env, input: pages })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\[simulated\] .*harbour/)
    expect(await readdir(cwd)).toEqual([])
  })

  it('writes JSONL in input order, one object per input, summary or error', async () => {
    const cwd = await createFolder({ ...docs(3), 'docs/d.md': '' })
    const slowFirst = (text: string): Behaviour => {
      if (text.includes('Document 0')) return { kind: 'answer', delayMs: 150 }
      return text.includes('Document 1') ? { kind: 'status', status: 422 } : answer
    }
    const { env } = await startService({ script: ({ request }) => slowFirst(request.text) })
    const { code, stdout } = await runInProcess(['summarize', 'docs', '-o', '-', '--format', 'jsonl', '-q'], {
      cwd,
      env,
    })
    expect(code).toBe(1)
    const lines = jsonLines(stdout)
    expect(lines.map(({ path, status }) => [path, status])).toEqual([
      ['docs/a.md', 'summarized'],
      ['docs/b.md', 'failed'],
      ['docs/c.md', 'summarized'],
      ['docs/d.md', 'skipped'],
    ])
    for (const line of lines) expect('summary' in line && 'error' in line).toBe(false)
    expect(lines[1].error).toMatchObject({
      kind: 422,
      transient: false,
      request_id: expect.stringMatching(/^req_/),
    })
    expect(lines[0]).toMatchObject({
      cost_usd: expect.any(Number),
      usage: { input_tokens: expect.any(Number) },
    })
  })

  it('writes summaries as they finish with --unordered', async () => {
    const cwd = await createFolder(docs(3))
    const { env } = await startService({
      script: ({ request }) =>
        request.text.includes('Document 0') ? { kind: 'answer', delayMs: 300 } : answer,
    })
    const { stdout } = await runInProcess(
      ['summarize', 'docs', '-o', '-', '--format', 'jsonl', '--unordered'],
      {
        cwd,
        env,
      },
    )
    expect(jsonLines(stdout).at(-1).path).toBe('docs/a.md')
  })

  it('reads a list of paths in the format of find -print0', async () => {
    const cwd = await createFolder({
      'docs/a b.md': prose(1),
      'docs/new\nline.md': prose(2),
      'docs/[c].md': prose(3),
    })
    const { env } = await startService({})
    const input = 'docs/a b.md\0docs/new\nline.md\0docs/[c].md\0gone.md\0'
    const { code, stdout, stderr } = await runInProcess(
      ['summarize', '--files-from', '-', '-0', '-o', '-', '--format', 'jsonl'],
      { cwd, env, input },
    )
    expect(jsonLines(stdout).map(({ path, status }) => [path, status])).toEqual([
      ['docs/[c].md', 'summarized'],
      ['docs/a b.md', 'summarized'],
      ['docs/new\nline.md', 'summarized'],
      ['gone.md', 'failed'],
    ])
    expect(code).toBe(1)
    expect(stderr).toContain('gone.md: no such file or directory')
  })
})

describe('a usage error', () => {
  const wrong: [string, string[], number, RegExp][] = [
    ['no command', [], 2, /^What to type next:/],
    ['no input', ['summarize'], 2, /no input; name files/],
    ['an unknown command', ['sumarize', 'x'], 2, /unknown command 'sumarize'.*Did you mean summarize/],
    [
      'an unknown flag',
      ['summarize', '--concurency', '3'],
      2,
      /unknown option '--concurency'.*Did you mean --concurrency/,
    ],
    ['a missing file', ['summarize', 'gone.md'], 3, /nothing matches "gone\.md"/],
    [
      'a summary of an earlier run',
      ['summarize', 'gone.md', 'a.md.summary.md'],
      3,
      /nothing matches "gone\.md"; "a\.md\.summary\.md" appears to be an output of an earlier run/,
    ],
    ['a pattern without a match', ['summarize', '*.nope'], 3, /nothing matches "\*\.nope"/],
    ['--quiet with --verbose', ['summarize', 'a.md', '-q', '-v'], 2, /cannot be combined/],
    ['-0 without --files-from', ['summarize', 'a.md', '-0'], 2, /--files-from/],
    ['--format without -o -', ['summarize', 'a.md', '--format', 'jsonl'], 2, /-o -/],
    [
      'an effort that the model does not accept',
      ['summarize', 'a.md', '--model', 'claude-haiku-4-5', '--effort', 'low'],
      2,
      /--effort low: claude-haiku-4-5 accepts none/,
    ],
    [
      'more tokens than the model can write',
      ['summarize', 'a.md', '--max-tokens', '500000'],
      2,
      /at most 128000/,
    ],
    ['a missing prompt', ['summarize', 'a.md', '--prompt', 'nope'], 2, /prompt nope/],
    [
      'an output folder that is a file',
      ['summarize', 'a.md', '-o', 'a.md', '--simulate'],
      2,
      /it is a file; name a folder/,
    ],
    ...['abc', '5x', '0', '-1', 'NaN', 'Infinity', '1e3', '0x10', ''].map(
      (value): [string, string[], number, RegExp] => [
        `--rpm ${JSON.stringify(value)}`,
        ['summarize', 'a.md', `--rpm=${value}`],
        2,
        /^claude-batch: --rpm: expected a number/,
      ],
    ),
    ...['1.5', '0', '257', '1e1', 'x'].map((value): [string, string[], number, RegExp] => [
      `--concurrency ${value}`,
      ['summarize', 'a.md', '--concurrency', value],
      2,
      /^claude-batch: --concurrency: expected a whole number from 1 to 256/,
    ]),
  ]

  it.each(wrong)('is reported for %s without writing anything', async (_name, args, code, message) => {
    const cwd = await createFolder({ 'a.md': prose(1), 'a.md.summary.md': prose(2) })
    const ended = await runInProcess(args, { cwd, env: {} })
    expect(ended.code).toBe(code)
    expect(ended.stdout).toBe('')
    expect(ended.stderr).toMatch(message)
    expect(ended.stderr).not.toMatch(/\n\s+at /)
    expect(await readdir(cwd)).toEqual(['a.md', 'a.md.summary.md'])
  })

  it('is reported without credentials, with two ways to continue', async () => {
    const cwd = await createFolder({ 'a.md': prose(1) })
    const { code, stderr } = await runInProcess(['summarize', 'a.md'], { cwd, env: { HOME: cwd } })
    expect(code).toBe(2)
    expect(stderr).toMatch(/ANTHROPIC_API_KEY.*--simulate/)
    expect(await readdir(cwd)).toEqual(['a.md'])
  })

  it('is reported for an invalid key without printing the key', async () => {
    const cwd = await createFolder({ 'a.md': prose(1) })
    const { code, stderr } = await runInProcess(['summarize', 'a.md'], {
      cwd,
      env: { ANTHROPIC_API_KEY: 'sk-ant-first\nsk-ant-second' },
    })
    expect(code).toBe(2)
    expect(stderr).not.toContain('sk-ant')
  })

  it.each([
    ['ANTHROPIC_BASE_URL', 'localhost:8787'],
    ['ANTHROPIC_BASE_URL', 'foo'],
    ['HTTPS_PROXY', 'http://u:secret%@127.0.0.1:1'],
    ['HTTPS_PROXY', 'socks5://127.0.0.1:1'],
  ])('is reported for the invalid %s %s without printing a password', async (name, value) => {
    const cwd = await createFolder({ 'a.md': prose(1) })
    const { code, stderr } = await runInProcess(['summarize', 'a.md'], {
      cwd,
      env: { ANTHROPIC_API_KEY: 'k', [name]: value },
    })
    expect(code).toBe(2)
    expect(stderr).toMatch(new RegExp(`^claude-batch: ${name} is not a URL`))
    expect(stderr).not.toContain('secret')
  })

  it('an unreachable proxy is not a usage error but exits with 75, without a note about billing', async () => {
    const cwd = await createFolder({ 'a.md': prose(1) })
    const env = {
      ANTHROPIC_API_KEY: 'k',
      HTTPS_PROXY: '127.0.0.1:1',
      ANTHROPIC_BASE_URL: 'https://nowhere.internal',
    }
    const { code, stderr } = await runInProcess(['summarize', 'a.md', '--retries', '0'], { cwd, env })
    expect(code).toBe(75)
    expect(stderr).toContain('ECONNREFUSED')
    expect(stderr).not.toContain('billed')
  })

  it.each([
    ['a NUL list without -0', [], 'a.md\0b.md\0', /add -0/],
    ['a list of lines with -0', ['-0'], 'a.md\nb.md\n', /remove -0/],
  ])('is reported for %s', async (_name, flags, input, message) => {
    const cwd = await createFolder({ 'a.md': prose(1) })
    const { code, stderr } = await runInProcess(['summarize', '--files-from', '-', ...flags, '--simulate'], {
      cwd,
      input,
    })
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })

  it('is reported instead of sending a key over plain HTTP to a public host', async () => {
    const cwd = await createFolder({ 'a.md': prose(1) })
    const { code, stderr } = await runInProcess(['summarize', 'a.md'], {
      cwd,
      env: { ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: 'http://example.com' },
    })
    expect(code).toBe(2)
    expect(stderr).toContain('plain http')
  })
})

describe('claude-batch without a key', () => {
  it('summarizes documents with --simulate in an empty environment', async () => {
    const cwd = await createFolder(docs(2))
    const { code, stderr } = await runInProcess(['summarize', 'docs', '--simulate'], { cwd })
    expect(code).toBe(0)
    expect(stderr).toContain('simulated: nothing was spent')
  })

  it('prints nothing on success with -q', async () => {
    const cwd = await createFolder(docs(2))
    expect(await runInProcess(['summarize', 'docs', '--simulate', '-q'], { cwd })).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    })
  })

  it('exits with 0 for a folder without documents', async () => {
    const cwd = await createFolder({ 'docs/image.png': 'x' })
    expect((await runInProcess(['summarize', 'docs', '--simulate'], { cwd })).code).toBe(0)
  })
})
