import { readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import fastGlob from 'fast-glob'
import { describe, expect, it } from 'vitest'

const src = resolve(import.meta.dirname, '../src')

/** Which folder may import which; `errors`, `shipped` and a folder's own files go without saying. Types of `world` may be used by main and commands. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  engine: ['core'],
  inputs: ['core'],
  claude: ['core'],
  simulator: [],
  sinks: ['core'],
  server: ['core', 'engine'],
  ui: ['core'],
  config: ['core'],
  commands: [
    'core',
    'engine',
    'server',
    'inputs',
    'claude',
    'simulator',
    'sinks',
    'ui',
    'config',
    'world.ts',
  ],
  // The settings are those of the command line; a library has no flags, screen, files or simulator.
  library: ['core', 'engine', 'inputs', 'claude', 'config', 'commands/settings.ts', 'world.ts'],
  'index.ts': ['core', 'library'],
  cli: ['core', 'config', 'world.ts'],
  'cli.ts': ['cli', 'core', 'config', 'commands', 'descriptors.ts', 'world.ts'],
  'main.ts': ['core', 'cli.ts', 'sinks/stream-writer.ts', 'world.ts'],
  'world.ts': ['core'],
  'descriptors.ts': [],
  'errors.ts': [],
  'shipped.ts': [],
}

/** The one file that opens the door to each package. */
const doors: Readonly<Record<string, readonly string[]>> = {
  '@anthropic-ai/sdk': [
    'claude/batches.ts',
    'claude/client.ts',
    'claude/fault.ts',
    'claude/message.ts',
    'claude/stream.ts',
  ],
  undici: ['claude/client.ts', 'claude/transport.ts'],
  'undici/lib/api/api-request.js': ['claude/transport.ts'],
  'undici/lib/dispatcher/agent.js': ['claude/transport.ts'],
  commander: ['cli.ts', 'cli/complete.ts', 'cli/flags.ts', 'cli/settings.ts'],
  'p-limit': ['engine/pool.ts'],
  'p-retry': ['engine/retry.ts'],
  'fast-glob': ['inputs/find.ts', 'inputs/pattern.ts', 'inputs/walk.ts'],
  ignore: ['inputs/ignore-files.ts'],
  yaml: ['config/file.ts', 'inputs/pin.ts', 'inputs/prompt-file.ts'],
  chalk: ['ui/paint.ts', 'ui/report.ts'],
  'cli-progress': ['ui/progress.ts'],
  hono: ['server/app.ts', 'server/http.ts'],
  'hono/body-limit': ['server/app.ts'],
  'hono/cors': ['server/app.ts'],
  '@hono/node-server': ['server/http.ts'],
  'ajv/dist/2020.js': ['inputs/schema-file.ts'],
  'franc-min': ['inputs/language.ts'],
  chardet: ['inputs/decode.ts'],
  htmlparser2: ['inputs/readers/markup.ts'],
  mammoth: ['inputs/readers/docx.ts'],
  'pdfjs-dist/legacy/build/pdf.min.mjs': ['inputs/readers/pdf.ts'],
  'pdfjs-dist/legacy/build/pdf.worker.min.mjs': ['inputs/readers/pdf.ts'],
  'pdf-lib': ['inputs/readers/split-pdf.ts'],
  'postal-mime': ['inputs/readers/email.ts'],
  yauzl: ['inputs/readers/zip.ts'],
  diff: ['commands/prompts/diff.ts'],
  'prom-client': ['server/metrics.ts'],
}

interface Import {
  readonly from: string
  readonly to: string
}

const files = await fastGlob('**/*.ts', { cwd: src })
const imports: Import[] = []
for (const from of files) {
  const text = await readFile(join(src, from), 'utf8')
  for (const [, to = ''] of text.matchAll(/(?:^(?:import|export|\}).*\bfrom|import\()\s*'([^']+)'/gm))
    imports.push({ from, to })
}

const folderOf = (path: string) => path.split('/')[0] ?? path

describe('the architecture', () => {
  it('lets imports run one way only', () => {
    const wrong = imports
      .filter(({ to }) => to.startsWith('.'))
      .map(({ from, to }) => ({ from, to: relative(src, resolve(src, dirname(from), to)) }))
      .filter(({ from, to }) => {
        const [a, b] = [folderOf(from), folderOf(to)]
        const allowed = ['errors.ts', 'shipped.ts', a, ...(mayImport[a] ?? [])]
        return !allowed.includes(b) && !allowed.includes(to)
      })
    expect(wrong).toEqual([])
  })

  it('has a rule for every folder', () => {
    expect([...new Set(files.map(folderOf))].sort()).toEqual(Object.keys(mayImport).sort())
  })

  it('opens each package in the files named for it', () => {
    const packages = imports.filter(({ to }) => !to.startsWith('.') && !to.startsWith('node:'))
    const wrong = packages.filter(({ from, to }) => !doors[to]?.includes(from))
    expect(wrong).toEqual([])
  })

  it('keeps the core free of files, network and clocks', () => {
    const pure = new Set(['node:crypto', 'node:path'])
    const builtin = imports.filter(
      ({ from, to }) => from.startsWith('core/') && to.startsWith('node:') && !pure.has(to),
    )
    expect(builtin).toEqual([])
  })
})
