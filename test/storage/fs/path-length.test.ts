import { existsSync, statSync } from 'node:fs'
import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { platform } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createFolder, startService } from '../../support/run-cli.ts'
import { runInProcess } from '../../support/run-in-process.ts'
import { has } from '../../support/system.ts'

const prose = (topic: string) => `# ${topic}\n\nThe harbour board met about ${topic} and decided to dredge.\n`
const longest = platform() === 'darwin' ? 1023 : 4095
const bytes = (text: string) => Buffer.byteLength(text)

/** Returns a path of folders below `root` with exactly `length` bytes, in two-byte letters. */
function folderOf(root: string, length: number): string {
  let path = root
  for (let left = length - bytes(root); left > 0; left = length - bytes(path)) {
    const size = left > 202 ? 200 : left - 1
    path += `/${'é'.repeat(Math.floor(size / 2))}${size % 2 === 1 ? 'x' : ''}`
  }
  return path
}

/** Prepares a run over the short `docs/ok.md` and one deep document for each length of a summary's path. */
async function overDeep(lengths: readonly number[], leaf: string, content: string | Buffer, fails = false) {
  const cwd = await createFolder({ 'docs/ok.md': prose('ok') })
  const out = join(cwd, 'o')
  const deep: { length: number; path: string; summary: string }[] = []
  for (const length of lengths) {
    const folder = folderOf(join(out, 'docs'), length - bytes(`/${leaf}.summary.md`))
    const path = `${folder.slice(out.length + 1)}/${leaf}`
    await mkdir(join(cwd, dirname(path)), { recursive: true })
    await writeFile(join(cwd, path), `${content} ${length}`)
    deep.push({ length, path, summary: `${folder}/${leaf}.summary.md` })
  }
  const { env, simulator } = await startService(
    fails
      ? {
          script: ({ request }) =>
            request.text.includes('BAD')
              ? { kind: 'status', status: 400, delayMs: 0 }
              : { kind: 'answer', delayMs: 0 },
        }
      : {},
  )
  const run = (...flags: string[]) =>
    runInProcess(['summarize', 'docs', '-o', 'o', '--ext', 'md,txt', ...flags], { cwd, env })
  return { cwd, out, deep, run, simulator }
}

describe.runIf(has.shortPaths)('a path near the limit of the file system', () => {
  /** Around the limit, and around the length with room for a temporary file next to `a.md.summary.md`. */
  const lengths = [longest, longest - 25].flatMap((limit) => [-2, -1, 0, 1, 2].map((by) => limit + by))

  it.each([
    ['a short name, with a longer one for the temporary file', 'a.md'],
    ['a long name', `${'n'.repeat(190)}.md`],
    ['a long name of multi-byte letters', `${'漢'.repeat(70)}.md`],
  ])('fails only its own document: %s', async (_name, leaf) => {
    const { deep, out, run, simulator } = await overDeep(lengths, leaf, prose('depth'))
    const { code, stderr } = await run()
    expect(code).toBe(1)
    expect(existsSync(join(out, 'docs/ok.md.summary.md'))).toBe(true)
    const allowed = deep.filter(
      ({ summary }) => Math.max(bytes(summary), bytes(dirname(summary)) + 41) <= longest,
    )
    expect(allowed.length).toBeGreaterThan(0)
    expect(deep.filter(({ summary }) => bytes(summary) <= longest && existsSync(summary))).toEqual(allowed)
    expect(simulator.stats().requests).toBe(allowed.length + 1)
    expect(stderr.match(/longer than the file system allows/g)?.length ?? 0).toBeGreaterThan(0)
    // The second run costs nothing and has the same exit code.
    expect((await run()).code).toBe(1)
    expect(simulator.stats().requests).toBe(allowed.length + 1)
  })

  it.each([
    ['cannot be read', Buffer.from([0x61, 0xff]), false],
    ['the API refuses', 'BAD', true],
  ])('does not end the run with its error record, for a document that %s', async (_name, content, fails) => {
    const { run, out } = await overDeep(lengths, 'a.md', content, fails)
    const { code, stderr } = await run()
    expect([code, stderr]).toEqual([1, expect.not.stringContaining('cannot write')])
    expect(existsSync(join(out, 'docs/ok.md.summary.md'))).toBe(true)
  })

  it('does not end a run over an output folder that was moved into a longer path', async () => {
    const cwd = await createFolder({ 'docs/ok.md': prose('ok') })
    const folder = folderOf(join(cwd, 'docs'), longest - 200).slice(cwd.length + 1)
    await mkdir(join(cwd, folder), { recursive: true })
    await writeFile(join(cwd, folder, 'a.md'), prose('deep'))
    const { env } = await startService({})
    const run = (out: string, ...flags: string[]) =>
      runInProcess(['summarize', 'docs', '-o', out, ...flags], { cwd, env })
    expect((await run('o')).code).toBe(0)
    const moved = `further${'x'.repeat(200)}`
    await mkdir(join(cwd, moved))
    await rename(join(cwd, 'o'), join(cwd, moved, 'o'))
    onTestFinished(() => rename(join(cwd, moved, 'o'), join(cwd, 'o')))
    const { code, stderr } = await run(`${moved}/o`)
    expect([code, stderr]).toEqual([1, expect.stringContaining('longer than the file system allows')])
  })

  it('of an output folder ends the run before anything is sent', async () => {
    const cwd = await createFolder({ 'docs/ok.md': prose('ok') })
    const { env, simulator } = await startService({})
    for (let length = longest - 130; length <= longest + 5; length += 3) {
      const out = folderOf(cwd, length).slice(cwd.length + 1)
      const before = simulator.stats().requests
      const { code, stderr } = await runInProcess(['summarize', 'docs', '-o', out, '--batch'], {
        cwd,
        env,
        clockSpeed: 1000,
      })
      if (length <= longest - 80) {
        expect([0, 1]).toContain(code)
      } else {
        expect([code, simulator.stats().requests]).toEqual([2, before])
        expect(stderr).toContain('its path is too long')
      }
    }
  })

  it('of a digest of a folder is reported before anything is sent', async () => {
    const cwd = await createFolder({ 'docs/ok.md': prose('ok') })
    const folder = folderOf(join(cwd, 'o', 'docs'), longest - 60).slice(join(cwd, 'o').length + 1)
    await mkdir(join(cwd, folder), { recursive: true })
    await writeFile(join(cwd, folder, 'a.md'), prose('deep'))
    const { env, simulator } = await startService({})
    const args = [
      'summarize',
      'docs',
      '-o',
      'o',
      '--digest-per',
      'folder',
      '--digest',
      `${'d'.repeat(90)}.md`,
    ]
    const { code, stderr } = await runInProcess(args, { cwd, env })
    expect([code, simulator.stats().requests]).toEqual([2, 0])
    expect(stderr).toContain('would be longer than the file system allows')
  })
})

describe('an unreadable document whose error record would be behind a link', () => {
  it('fails alone, and nothing is written behind the link', async () => {
    const cwd = await createFolder({ 'docs/sub/bad.md': Buffer.from([0xff]), 'docs/ok.md': prose('ok') })
    await mkdir(join(cwd, 'o/docs'), { recursive: true })
    await mkdir(join(cwd, 'elsewhere'))
    await symlink(join(cwd, 'elsewhere'), join(cwd, 'o/docs/sub'))
    const { env } = await startService({})
    const { code } = await runInProcess(['summarize', 'docs', '-o', 'o'], { cwd, env })
    expect(code).toBe(1)
    expect(statSync(join(cwd, 'o/docs/ok.md.summary.md')).isFile()).toBe(true)
    expect(await readFile(join(cwd, 'o/.claude-batch/ledger.jsonl'), 'utf8')).toContain('docs/sub/bad.md')
    expect(existsSync(join(cwd, 'elsewhere/bad.md.error.txt'))).toBe(false)
  })
})
