import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { answerAfter, createGate } from './support/manual-response.ts'
import { type Job, jobs } from './support/recipe-jobs.ts'
import { createFolder, startService } from './support/run-cli.ts'
import { addCommands, runShell, type ShellResult } from './support/run-shell.ts'

const root = resolve(import.meta.dirname, '..')

/** A section of the page: its commands, and samples of the result, in which `…` stands for more text. */
interface Section {
  readonly title: string
  readonly commands: readonly string[]
  readonly crontab?: string
  readonly samples: readonly string[]
}

const sections: readonly Section[] = readFileSync(join(root, 'docs/recipes.md'), 'utf8')
  .split(/^### /m)
  .slice(1)
  .map((text) => {
    const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    const select = (kind: string) => blocks.filter(([, it]) => it === kind).map(([, , block = '']) => block)
    const [crontab] = select('crontab')
    return {
      title: text.slice(0, text.indexOf('\n')),
      commands: select('sh'),
      ...(crontab !== undefined && { crontab }),
      samples: select(''),
    }
  })

/** Starts the simulated API with scripted replies. */
async function startModel({ replies = {}, immediateReplies = Number.POSITIVE_INFINITY }: Job) {
  const { opened, open } = createGate()
  const service = await startService({
    script({ index, request: { model, text } }) {
      if (index >= immediateReplies) return answerAfter(opened)
      const isAbout = ([words]: [string, unknown]) => new RegExp(words, 's').test(`${model}\n${text}`)
      const reply = Object.entries(replies).find(isAbout)?.[1]
      const written = typeof reply === 'object' ? JSON.stringify(reply) : reply
      return { kind: 'answer', delayMs: 5, ...(written !== undefined && { text: written }) }
    },
  })
  return { ...service, answer: open }
}

/** Starts a web server for the pages of a job. @returns its address */
async function startWebsite(pages: Readonly<Record<string, Buffer>>): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const page = pages[url]
    response.writeHead(page === undefined ? 404 : 200).end(page)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Returns a text without numbers and widths, which differ between runs. */
function normalize(text: string): string {
  return text.replaceAll(/\d+(?:[.,]\d+)*/g, '0').replaceAll(/ +/g, ' ')
}

/** Runs the job of a crontab as cron does: with its variables, in /bin/sh. */
async function runCrontab(crontab: string, cwd: string, env: Record<string, string>): Promise<ShellResult> {
  const lines = crontab.trimEnd().split('\n')
  const variables = lines.slice(0, -1).map((line) => /^(\w+)=(.*)$/.exec(line)?.slice(1) ?? [line])
  const command = /^(?:[\d*,/-]+ +){5}(.*)$/.exec(lines.at(-1) ?? '')?.[1] ?? ''
  expect(command).not.toMatch(/%|^$/)
  const all = { ...Object.fromEntries(variables), ...env }
  expect(Object.keys(all)).toContain('PATH')
  return runShell(command, { cwd, env: all, shell: ['/bin/sh'] })
}

/** Sets up the folder of a job. @returns a function that adapts commands to it */
async function prepare({ files, programs = {}, website, setUp }: Job, env: Record<string, string>) {
  const cwd = await createFolder(files)
  await addCommands(cwd, programs)
  const site = website === undefined ? 'https://example.org' : await startWebsite(website)
  const adapt = (commands: string) =>
    commands
      .replaceAll('/srv/notes', cwd)
      .replaceAll('/srv/archive', join(cwd, 'archive'))
      .replaceAll('/usr/local/bin', join(cwd, 'bin'))
      .replaceAll('/usr/sbin', join(cwd, 'bin'))
      .replaceAll('https://example.org', site)
  if (setUp !== undefined) expect(await runShell(setUp, { cwd, env })).toMatchObject({ code: 0 })
  return { cwd, adapt }
}

const isMissing = (program: string) => spawnSync(program, ['-c', ':']).error !== undefined
const missing = ['bash', 'jq', 'find', 'curl', 'git'].filter(isMissing)

describe.skipIf(missing.length > 0)(
  `docs/recipes.md${missing.length > 0 ? ` (needs ${missing})` : ''}`,
  () => {
    it('has a test for each of its jobs', () => {
      expect(sections.map(({ title }) => title)).toEqual(Object.keys(jobs))
    })

    it.each(sections)('has working commands: $title', async ({ title, commands, crontab = '', samples }) => {
      const job = jobs[title] as Job
      const { env, simulator, answer } = await startModel(job)
      const { cwd, adapt } = await prepare(job, env)
      await job.before?.({ cwd, env }, answer)
      const shell = (text: string) => runShell(adapt(text), { cwd, env })
      const result = await shell(commands.join('\n'))
      expect(result).toEqual({ ...result, code: 0 })
      expect(result.stderr).not.toMatch(/ERROR|cannot|error:/)
      const produced = await job.check({
        ...result,
        commands,
        shell,
        read: (path) => readFileSync(join(cwd, path), 'utf8'),
        list: (path) => readdirSync(join(cwd, path)).sort(),
        runCron: () => runCrontab(adapt(crontab), cwd, env),
        requestCount: () => simulator.stats().requests,
      })
      for (const sample of samples)
        for (const part of sample.split('…\n')) expect(normalize(produced)).toContain(normalize(part))
    })

    it.each(sections.filter(({ commands }) => commands.length > 0))(
      'has commands that work without a key: $title',
      async ({ title, commands }) => {
        const env = { CLAUDE_BATCH_SIMULATE: '1' }
        const { cwd, adapt } = await prepare(jobs[title] as Job, env)
        // A simulated batch ends with its run.
        const text = adapt(commands.join('\n')).replace(' --detach', '')
        const result = await runShell(text, { cwd, env })
        expect(result).toEqual({ ...result, code: 0 })
      },
    )

    it.for(['dash', 'zsh'])('has commands that %s accepts', (shell, { skip }) => {
      if (isMissing(shell)) skip(`needs ${shell}`)
      for (const { title, commands } of sections) {
        const { status, stderr } = spawnSync(shell, ['-n'], { input: commands.join('\n'), encoding: 'utf8' })
        expect([title, status, stderr]).toEqual([title, 0, ''])
      }
    })
  },
)
