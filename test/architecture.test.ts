import { readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import fastGlob from 'fast-glob'
import { describe, expect, it } from 'vitest'
import { exitCodes } from '../src/errors.ts'

const src = resolve(import.meta.dirname, '../src')

/** The folders that `run`, `compare`, `serve` and `commands` may import. */
const application = [
  'engine',
  'inputs',
  'claude',
  'simulator',
  'storage',
  'sinks',
  'ui',
  'config',
  'core',
  'runtime.ts',
]

/**
 * The folders and files that each folder may import. Every folder may import its own files and `assets.ts`.
 * All folders except `withoutExitCodes` may import `errors.ts`.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  assets: [],
  engine: ['core'],
  inputs: ['core'],
  claude: ['core'],
  ui: ['core'],
  simulator: [],
  storage: ['core'],
  sinks: ['storage', 'core'],
  config: ['core'],
  run: application,
  compare: ['run', ...application],
  serve: ['run', ...application],
  doctor: ['run', ...application],
  commands: ['run', 'compare', 'serve', 'doctor', ...application],
  library: ['engine', 'inputs', 'claude', 'storage', 'config', 'core', 'runtime.ts'],
  cli: ['commands', 'config', 'ui/print-message.ts', 'ui/event-writer.ts', 'core', 'runtime.ts'],
  'index.ts': ['library', 'core'],
  'documents.ts': ['library', 'core'],
  'cli.ts': ['cli', 'runtime.ts'],
  'main.ts': [
    'cli.ts',
    'core',
    'storage/fs/stream-writer.ts',
    'ui/print-message.ts',
    'ui/event-streams.ts',
    'runtime.ts',
  ],
  'fixed-text.ts': [],
  'runtime.ts': ['core'],
  'errors.ts': ['core'],
  'assets.ts': [],
}

/** Folders that never import `errors.ts`, because they do not depend on exit codes. */
const withoutExitCodes = new Set(['core', 'engine', 'simulator', 'ui', 'assets'])

/** The files that may import each package. */
const doors: Readonly<Record<string, readonly string[]>> = {
  '@anthropic-ai/sdk/core/streaming': ['claude/read-streamed-reply.ts'],
  '@anthropic-ai/sdk': [
    'claude/batch-client.ts',
    'claude/anthropic-client.ts',
    'claude/post-messages.ts',
    'claude/sdk-client.ts',
    'claude/read-message.ts',
    'claude/read-streamed-reply.ts',
  ],
  '@opentelemetry/api': [
    'engine/middleware/in-span.ts',
    'engine/middleware/with-telemetry.ts',
    'run/flush-telemetry.ts',
    'run/trace-run.ts',
  ],
  undici: [
    'claude/create-fetch.ts',
    'claude/interim-responses.ts',
    'claude/proxy-connector.ts',
    'claude/transport.ts',
  ],
  'undici/lib/core/connect.js': ['claude/transport.ts'],
  'undici/lib/api/api-connect.js': ['claude/transport.ts'],
  'undici/lib/core/util.js': ['claude/transport.ts'],
  'undici/lib/dispatcher/agent.js': ['claude/transport.ts'],
  'undici/lib/dispatcher/pool.js': ['claude/transport.ts'],
  'undici/lib/dispatcher/proxy-agent.js': ['claude/transport.ts'],
  'undici/lib/web/fetch/formdata.js': ['claude/bundled-fetch-classes.ts'],
  'undici/lib/web/fetch/headers.js': ['claude/bundled-fetch-classes.ts'],
  commander: [
    'cli.ts',
    'cli/command-spec.ts',
    'cli/parse-completion.ts',
    'cli/visible-commands.ts',
    'cli/add-flags.ts',
    'cli/help-layout.ts',
    'cli/apply-settings.ts',
  ],
  'p-limit': ['engine/run-pool.ts'],
  'p-retry': ['engine/middleware/with-retry.ts'],
  'fast-glob': ['inputs/find/glob-pattern.ts', 'inputs/find/match-files.ts'],
  micromatch: ['inputs/find/pattern-readings.ts'],
  yaml: [
    'config/parse-config.ts',
    'inputs/prompts/parse-prompt-file.ts',
    'inputs/prompts/pin-version.ts',
    'inputs/prompts/shipped-prompts.ts',
  ],
  chalk: ['ui/colors.ts', 'ui/format-run-summary.ts'],
  'cli-progress': ['ui/progress.ts'],
  hono: ['serve/app.ts', 'serve/http-server.ts'],
  'hono/cors': ['serve/app.ts'],
  '@hono/node-server': ['serve/http-server.ts'],
  'ajv/dist/2020.js': ['inputs/answer-checks/schema-check.ts'],
  'franc-min': ['inputs/answer-checks/language.ts'],
  chardet: ['inputs/read/decode-text.ts'],
  htmlparser2: ['inputs/read/readers/parse-markup.ts'],
  'dingbat-to-unicode': ['inputs/read/readers/word/word-symbols.ts'],
  'pdfjs-dist/legacy/build/pdf.min.mjs': ['inputs/read/readers/load-pdfjs.ts'],
  'pdfjs-dist/legacy/build/pdf.worker.min.mjs': ['inputs/read/readers/load-pdfjs.ts'],
  'pdfjs-dist': ['inputs/read/readers/load-pdfjs.ts'],
  '@cantoo/pdf-lib': [
    'inputs/read/readers/decode-lzw.ts',
    'inputs/read/readers/parse-pdf.ts',
    'inputs/read/readers/prune-pdf-pages.ts',
    'inputs/read/readers/split-pdf.ts',
    'inputs/read/readers/xfa-form.ts',
  ],
  'postal-mime': ['inputs/read/readers/mail/mail-message.ts'],
  utif2: ['inputs/read/readers/tiff.ts'],
  yauzl: ['inputs/read/readers/zip.ts'],
  diff: ['commands/prompts/diff.ts'],
  'prom-client': ['serve/metrics.ts'],
}

/**
 * The files that import `node:fs`, and what they access. An output folder is untrusted: other files access
 * its content only through the first three, which follow no link and open no pipe.
 */
const fileAccess: Readonly<Record<string, string>> = {
  'storage/fs/no-follow-fs.ts': 'files in an output folder',
  'storage/fs/descriptor.ts': 'files that another module has opened',
  'storage/fs/create-folder.ts': 'an output folder and the folders in it',
  'storage/fs/symlinks.ts': 'the parent folders of both',
  'storage/fs/read-lines.ts': 'a file that the first has opened',
  'storage/fs/append-file.ts': 'the log file that the user named',
  'storage/deletion-check.ts': 'documents',
  'storage/lock/find-lock.ts': 'the identity (inode) of a lock file',
  'storage/lock/lock-owner.ts': 'the processes of the system',
  'storage/fs/named-file.ts': 'files that flags name',
  'storage/fs/named-stream.ts': 'pipes and devices that flags name',
  'storage/fs/regular-file.ts': 'files that flags name',
  'run/select-documents.ts': 'the folders of documents and of --root',
  'run/named-outputs.ts': 'files that flags name',
  'run/resolve-merge-folders.ts': 'the folders that the user named',
  'commands/unlock.ts': 'the folder that the user named',
  'commands/prompts/pin.ts': 'the prompts of the user',
}

interface Import {
  readonly from: string
  readonly to: string
  readonly isType: boolean
}

const files = await fastGlob('**/*.ts', { cwd: src })
const imports: Import[] = []
for (const from of files) {
  const text = await readFile(join(src, from), 'utf8')
  for (const [line, to = ''] of text.matchAll(/(?:^(?:import|export|\}).*\bfrom|import\()\s*'([^']+)'/gm))
    imports.push({ from, to, isType: /^(import|export) type /.test(line) })
}

const folderOf = (path: string) => path.split('/')[0] ?? path

describe('the architecture', () => {
  it('allows imports in one direction only', () => {
    const wrong = imports
      .filter(({ to }) => to.startsWith('.'))
      .map(({ from, to }) => ({ from, to: relative(src, resolve(src, dirname(from), to)) }))
      .filter(({ from, to }) => {
        const [a, b] = [folderOf(from), folderOf(to)]
        const allowed = [
          'assets.ts',
          a,
          ...(mayImport[a] ?? []),
          ...(withoutExitCodes.has(a) ? [] : ['errors.ts']),
        ]
        return !allowed.includes(b) && !allowed.includes(to)
      })
    expect(wrong).toEqual([])
  })

  it('has no import cycles, including type imports', () => {
    const graph = new Map<string, string[]>()
    for (const { from, to } of imports)
      if (to.startsWith('.'))
        graph.set(from, [...(graph.get(from) ?? []), relative(src, resolve(src, dirname(from), to))])
    const [done, path]: [Set<string>, string[]] = [new Set(), []]
    const circles: string[] = []
    const visit = (file: string) => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      if (path.includes(file) || done.has(file)) return
      path.push(file)
      for (const next of graph.get(file) ?? []) visit(next)
      path.pop()
      done.add(file)
    }
    for (const file of files) visit(file)
    expect(circles).toEqual([])
  })

  it('has no two files with the same name, except subcommands', () => {
    const byName = new Map<string, string[]>()
    for (const file of files) {
      const name = file.split('/').at(-1) ?? file
      byName.set(name, [...(byName.get(name) ?? []), file])
    }
    const twice = [...byName.values()].filter((same) => same.length > 1)
    expect(twice.filter((same) => !same.every((file) => /^commands\/[^/]+\//.test(file)))).toEqual([])
  })

  it('defines the allowed imports of every folder', () => {
    expect([...new Set(files.map(folderOf))].sort()).toEqual(
      Object.keys(mayImport)
        .filter((folder) => folder !== 'assets')
        .sort(),
    )
  })

  it('writes to stderr only in ui/, except for the help of commander and crash reports', async () => {
    const writing = []
    for (const file of files)
      if (/\bstderr\.write\(/.test(await readFile(join(src, file), 'utf8'))) writing.push(file)
    const allowed = [
      'cli.ts',
      'runtime.ts',
      'ui/event-writer.ts',
      'ui/print-message.ts',
      'ui/progress.ts',
      'ui/reporter.ts',
    ]
    expect(writing.sort()).toEqual(allowed)
  })

  it('imports each package only in the files listed for it', () => {
    const packages = imports.filter(({ to }) => !to.startsWith('.') && !to.startsWith('node:'))
    const wrong = packages.filter(({ from, to }) => !doors[to]?.includes(from))
    expect(wrong).toEqual([])
  })

  it('accesses files in an output folder only through the listed modules', () => {
    const opening = imports.filter(
      ({ from, to, isType }) =>
        /^(storage|sinks|run|compare|commands)\//.test(from) && to.startsWith('node:fs') && !isType,
    )
    expect([...new Set(opening.map(({ from }) => from))].sort()).toEqual(Object.keys(fileAccess).sort())
  })

  it('keeps flags and exit codes out of the core and the engine', async () => {
    // Names of one word, such as `usage`, have other meanings in these folders.
    const exitNames = Object.keys(exitCodes).filter((name) => /[A-Z]/.test(name))
    const forbidden = new RegExp(`--[a-z]|\\b(ExitError|UsageError|exit code|${exitNames.join('|')})\\b`)
    const wrong: string[] = []
    for (const file of files.filter((file) => /^(core|engine)\//.test(file))) {
      const lines = (await readFile(join(src, file), 'utf8')).split('\n')
      wrong.push(...lines.filter((line) => forbidden.test(line)).map((line) => `${file}: ${line.trim()}`))
    }
    expect(wrong).toEqual([])
  })

  it('keeps the core free of files, network and clocks', () => {
    const pure = new Set(['node:crypto', 'node:path'])
    const builtin = imports.filter(
      ({ from, to }) => from.startsWith('core/') && to.startsWith('node:') && !pure.has(to),
    )
    expect(builtin).toEqual([])
  })

  it('mentions only names that exist in comments', async () => {
    const words = new Set<string>()
    const mentions: { readonly file: string; readonly name: string }[] = []
    for (const file of files) {
      const text = await readFile(join(src, file), 'utf8')
      const code = text.replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/[^\n]*/g, ' ')
      for (const [word] of code.matchAll(/[A-Za-z_$][\w$]*/g)) words.add(word)
      for (const comment of text.match(/\/\*[\s\S]*?\*\/|(?<!:)\/\/[^\n]*/g) ?? [])
        for (const [, code, link, param] of comment.matchAll(
          /`([a-z][a-z0-9]*(?:[A-Z][A-Za-z0-9]*)+)`|\{@link ([A-Za-z]+)|@param ([A-Za-z]+) /g,
        ))
          mentions.push({ file, name: code ?? link ?? param ?? '' })
    }
    const foreign = new Set(['includeIf', 'stripVTControlCharacters', 'renderCells'])
    const unknown = mentions.filter(({ name }) => !words.has(name) && !foreign.has(name))
    expect(unknown).toEqual([])
  })
})
