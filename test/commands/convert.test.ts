import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { has } from '../support/system.ts'

/** Prints the path, the text of the file in capitals, and its other arguments; writes the names of all variables to a file. */
const program = `
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
const file = process.argv.at(-1).replace('--in=', '')
appendFileSync('runs.txt', process.argv.at(-1) + '\\n')
console.log('# ' + readFileSync(file, 'utf8').toUpperCase())
console.log(process.argv.slice(2, -1).join(' '))
writeFileSync('variables.txt', Object.keys(process.env).join(' '))
`
const command = `"${process.execPath}" convert.mjs`

async function setting(
  files: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
) {
  const cwd = await createFolder({
    'docs/a.xyz': 'about ferries',
    'docs/b.md': 'About the harbour.',
    'convert.mjs': program,
    ...files,
  })
  const run = (...args: readonly string[]) =>
    runInProcess(['summarize', ...args, '--simulate'], {
      cwd,
      env: { ANTHROPIC_API_KEY: 'sk-1', MY_SECRET: 's', PLAIN: 'p', ...env },
    })
  const read = (name: string) => readFile(join(cwd, name), 'utf8').catch(() => undefined)
  return { cwd, run, read, convert: ['--convert', `xyz=${command} --in={}`] }
}

describe('--convert', () => {
  it('reads files of the extension in folders, with the absolute path in place of {}', async () => {
    const { cwd, run, read, convert } = await setting()
    expect((await run('docs', ...convert)).code).toBe(0)
    expect(await read('summaries/docs/a.xyz.summary.md')).toContain('ABOUT FERRIES')
    expect(await read('summaries/docs/b.md.summary.md')).toContain('harbour')
    expect(await read('runs.txt')).toBe(`--in=${join(cwd, 'docs/a.xyz')}\n`)
  })

  it('passes no credentials to the program', async () => {
    const secrets = {
      MY_SECRET: 's',
      DB_PASS: 's',
      MYSQL_PWD: 's',
      GITHUB_PAT: 's',
      HTTPS_PROXY: 'http://user:s@proxy.example:8080',
      DATABASE_URL: 'postgres://:s@db.example/x',
    }
    const others = { PWD: '/', BYTES_PATH: '/', HOMEPAGE: 'http://example.com:80/a@b', NOTE: 'a:b@c' }
    const { run, read, convert } = await setting({}, { ...secrets, ...others })
    await run('docs/a.xyz', ...convert)
    const names = (await read('variables.txt'))?.split(' ') ?? []
    expect(names).toEqual(expect.arrayContaining(['PLAIN', ...Object.keys(others)]))
    expect(names.filter((name) => name in secrets || name === 'ANTHROPIC_API_KEY')).toEqual([])
  })

  it('runs for a dry run, because the estimate needs the text', async () => {
    const { run, read, convert } = await setting()
    expect((await run('docs', ...convert, '--dry-run')).code).toBe(0)
    expect(await read('runs.txt')).toContain('a.xyz')
  })

  it('takes precedence over the reader of a format', async () => {
    const { run, read } = await setting()
    await run('docs', '--convert', `md=${command} {}`)
    expect(await read('summaries/docs/b.md.summary.md')).toContain('ABOUT THE HARBOUR')
  })

  it.runIf(has.anyName)('passes a name that begins like a flag or contains signs of a shell', async () => {
    const { cwd, run, read, convert } = await setting({ 'docs/-rf $(x) {}.xyz': 'odd' })
    expect((await run('docs', ...convert)).code).toBe(0)
    expect(await read('runs.txt')).toContain(`--in=${join(cwd, 'docs/-rf $(x) {}.xyz')}\n`)
  })

  it('is a failure of the document, which other documents survive', async () => {
    const { run, read } = await setting({ 'fail.mjs': "console.error('no such page'); process.exit(2)" })
    const { code, stderr } = await run('docs', '--convert', `xyz="${process.execPath}" fail.mjs {}`)
    expect(code).toBe(1)
    expect(await read('summaries/docs/a.xyz.error.txt')).toMatch(
      /^ERROR: input convert_failed: the converter "node" failed with exit code 2: no such page/,
    )
    expect(stderr).toContain('1 summarized')
  })

  it.each<[string, Buffer, RegExp]>([
    [
      'no text in UTF-16',
      Buffer.from('\ufeff\r\n', 'utf16le'),
      /^ERROR: input convert_failed: the converter printed nothing$/m,
    ],
    [
      'damaged UTF-16',
      Buffer.from([0xff, 0xfe, 0x61]),
      /^ERROR: input not_utf16: the text of the converter is not valid UTF-16, although/,
    ],
  ])('is a failure if the program prints %s', async (_what, bytes, message) => {
    const { run, read } = await setting({
      'print.mjs': `process.stdout.write(Buffer.from('${bytes.toString('hex')}', 'hex'))`,
    })
    expect((await run('docs', '--convert', `xyz="${process.execPath}" print.mjs {}`)).code).toBe(1)
    expect(await read('summaries/docs/a.xyz.error.txt')).toMatch(message)
  })

  it('reports the encoding that --encoding auto guesses', async () => {
    const text = Buffer.from('Grüße aus Köln. '.repeat(9), 'latin1').toString('hex')
    const { run, read } = await setting({
      'print.mjs': `process.stdout.write(Buffer.from('${text}', 'hex'))`,
    })
    const converting = ['--convert', `xyz="${process.execPath}" print.mjs {}`]
    const { stderr } = await run('docs', ...converting, '--encoding', 'auto')
    expect(stderr).toContain('docs/a.xyz is not UTF-8; it and similar documents are read as windows-1252')
    expect(await read('summaries/docs/a.xyz.summary.md')).toContain('Grüße aus Köln')
  })

  it('summarizes only the documents of an extension again whose command changed', async () => {
    const { run, read, convert } = await setting()
    await run('docs', ...convert)
    expect((await run('docs', ...convert)).stderr).toContain('2 unchanged')
    const changed = ['--convert', `xyz=${command} --loud --in={}`]
    expect((await run('docs', ...changed)).stderr).toContain('--redo settings')
    expect((await run('docs', ...changed, '--redo', 'settings')).stderr).toMatch(
      /1 summarized, 1 skipped \(1 unchanged\)/,
    )
    expect(await read('summaries/docs/a.xyz.summary.md')).toContain('--loud')
  })

  it.each([
    ['xyz', /--convert: expected an extension and a command/],
    ['xyz=cat', /--convert: the command for \.xyz has no \{\}/],
    ['xyz={}', /--convert: the command for \.xyz has no \{\} among its arguments/],
    ['xyz=cat "{}', /--convert: expected a program and its arguments, with every quote closed/],
  ])('is a usage error: %s', async (value, message) => {
    const { run } = await setting()
    const { code, stderr } = await run('docs', '--convert', value)
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })

  it('counts only in a file that the user chose', async () => {
    const { cwd, run, read } = await setting({ 'claude-batch.yaml': `convert: { xyz: '${command} {}' }\n` })
    const { code, stderr } = await run('docs')
    expect([code, stderr]).toEqual([2, expect.stringMatching(/convert.*--config/s)])
    expect(await read('runs.txt')).toBe(undefined)
    expect((await run('docs', '--config', join(cwd, 'claude-batch.yaml'))).code).toBe(0)
    expect(await read('summaries/docs/a.xyz.summary.md')).toContain('FERRIES')
  })
})
