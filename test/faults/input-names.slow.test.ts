import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runChecked } from '../support/run-checked.ts'
import { bin, createFolder, startService } from '../support/run-cli.ts'
import { has } from '../support/system.ts'
import { runUnprivileged, whyPermissionsUntestable } from '../support/unprivileged.ts'

const prose = (topic: string) =>
  `# About ${topic}\n\nThe harbour board met about ${topic} and decided to dredge the channel.\n`
const ab = { 'docs/a.md': prose('ale'), 'docs/b.md': prose('beer') }

/** Runs the program over these files, with a simulator that counts requests. */
async function over(
  files: Record<string, string>,
  args: string[],
  { make, input = '' }: { make?: (cwd: string) => Promise<unknown>; input?: string } = {},
) {
  const cwd = await createFolder(files)
  await make?.(cwd)
  const { env, simulator } = await startService({})
  const ended = await runChecked(['summarize', ...args], { cwd, env, input })
  return { ...ended, cwd, env, hits: simulator.stats().requests }
}

describe('file names', () => {
  const misnamed = (folder: string, ...bytes: number[]) =>
    Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(bytes), Buffer.from('.md')])

  it('I23 two names that are not UTF-8 are two failures, and one on the command line is reported too', async () => {
    const make = async (cwd: string) => {
      for (const byte of [0xe8, 0xe9]) writeFileSync(misnamed(join(cwd, 'docs'), byte), prose('bytes'))
    }
    const { stderr, cwd, env } = await over(ab, ['docs'], { make })
    expect(stderr).toMatch(/4: 2 summarized, 2 failed/)
    const { status, stderr: named } = await shell(
      `"$0" "$1" summarize docs/a.md "$(printf 'docs/\\351.md')"`,
      cwd,
      env,
    )
    expect([status, named]).toEqual([1, expect.stringContaining('its name is not UTF-8')])
  })
})

describe('inputs', () => {
  it('I10 I31 an unreadable file, directory or ignore file fails, and the other documents are summarized', async (context) => {
    const why = whyPermissionsUntestable()
    if (why !== undefined) return context.skip(why)
    const cwd = await createFolder({
      ...ab,
      'docs/locked.md': prose('locks'),
      'docs/shut/c.md': prose('cider'),
      'docs/rules/.gitignore': 'x',
      'docs/rules/d.md': 'x',
    })
    for (const path of ['locked.md', 'rules/.gitignore', 'shut']) await chmod(join(cwd, 'docs', path), 0)
    const { env, simulator } = await startService({})
    const { code, stderr } = await runUnprivileged(['summarize', 'docs'], { cwd, env })
    await chmod(join(cwd, 'docs/shut'), 0o755)
    expect([code, simulator.stats().requests]).toEqual([1, 2])
    expect(stderr).toContain('claude-batch: docs/locked.md: permission denied\n')
    expect(stderr).toContain('docs/shut: cannot read this directory: permission denied\n')
    expect(stderr).toMatch(/docs\/rules: cannot use .*\.gitignore: permission denied/)
    const record = await readFile(join(cwd, 'summaries/docs/locked.md.error.txt'), 'utf8')
    expect(record).toBe('ERROR: input unreadable: permission denied\n')
  })

  it.runIf(has.proc)(
    'I33 a run over five thousand files sends its first request with little memory',
    async () => {
      const cwd = await createFolder({})
      await mkdir(join(cwd, 'docs'))
      for (let n = 0; n < 5000; n++)
        writeFileSync(join(cwd, `docs/${n}.md`), `The board met for the ${n}th time.`)
      let peakMb: number | undefined
      const { env } = await startService({
        script: () => {
          const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
          peakMb ??= Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1000
          child.kill('SIGKILL')
          return { kind: 'stall', afterHeaders: false }
        },
      })
      const child = spawn(process.execPath, [bin, 'summarize', 'docs'], {
        cwd,
        env: { PATH: process.env['PATH'], ...env },
      })
      await new Promise((resolve) => child.on('close', resolve))
      expect(peakMb).toBeLessThan(200)
    },
  )
})

async function shell(command: string, cwd: string, env: Readonly<Record<string, string>>) {
  const child = spawn('sh', ['-c', command, process.execPath, bin], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
  })
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const status = await new Promise((resolve) => child.on('close', resolve))
  return { status, stderr }
}
