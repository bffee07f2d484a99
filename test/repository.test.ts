import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import fastGlob from 'fast-glob'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const root = resolve(import.meta.dirname, '..')
const read = (path: string) => readFile(resolve(root, path), 'utf8')

describe('CONTRIBUTING.md and SECURITY.md', () => {
  it.each(['CONTRIBUTING.md', 'SECURITY.md', '.github/PULL_REQUEST_TEMPLATE.md'])(
    '%s names only files and folders that exist',
    async (page) => {
      const text = await read(page)
      const words = Array.from(text.matchAll(/`([^`\n]+)`/g)).flatMap(([, code = '']) => code.split(' '))
      const names = words.filter((word) => /^[\w.*/-]*(\/|\.(md|ts|js|json|yml))[\w.*/-]*$/.test(word))
      expect(names.length).toBeGreaterThan(0)
      for (const name of names) {
        // A name without a folder is that of a source file, because no two of them have the same name.
        const patterns = [name.replace(/\/$/, ''), ...(name.includes('/') ? [] : [`src/**/${name}`])]
        const found = await fastGlob(patterns, { cwd: root, onlyFiles: false, ignore: ['node_modules'] })
        expect(found, name).not.toEqual([])
      }
    },
  )

  it('CONTRIBUTING.md lists every folder of the repository', async () => {
    const text = await read('CONTRIBUTING.md')
    const folders = await fastGlob('*', { cwd: root, onlyDirectories: true })
    const generated = new Set(['node_modules', 'dist', 'coverage', 'summaries'])
    for (const folder of folders.filter((name) => !generated.has(name)))
      expect(text).toContain(`\`${folder}/`)
  })

  it('CONTRIBUTING.md lists five commands, which CI runs', async () => {
    const section = (await read('CONTRIBUTING.md'))
      .split(/^## /m)
      .find((it) => it.startsWith('Five commands'))
    const commands = Array.from(section?.matchAll(/^\| `([^`]+)` \|/gm) ?? [], ([, command = '']) => command)
    expect(commands).toHaveLength(5)
    const ci = await read('.ci/run')
    const { scripts } = JSON.parse(await read('package.json'))
    for (const command of commands) {
      // `npm test` builds first, and test/repository.slow.test.ts runs the command that watches a file.
      if (command === 'npm run build') expect(scripts.pretest).toBe(command)
      else if (!command.startsWith('npx vitest ')) expect(ci).toContain(command)
    }
  })

  it('SECURITY.md names only faults in the catalogue', async () => {
    const catalogue = await read('test/faults/README.md')
    const codes = Array.from((await read('SECURITY.md')).matchAll(/\b[A-Z]\d\d\b/g), ([code]) => code)
    expect(codes.length).toBeGreaterThan(20)
    for (const code of codes) expect(catalogue).toContain(`\n| ${code} | `)
  })
})

describe('.editorconfig', () => {
  it('has the indentation and the line width of biome.json', async () => {
    const text = await read('.editorconfig')
    const { formatter } = JSON.parse(await read('biome.json'))
    expect(text).toContain(`indent_style = ${formatter.indentStyle}\nindent_size = 2\n`)
    expect(text).toContain(`max_line_length = ${formatter.lineWidth}\n`)
    // The default of Biome.
    expect(formatter.indentWidth).toBeUndefined()
  })

  it('describes the files that no formatter writes', async () => {
    const files = ['*', '.github/**', '.ci/*', '{docs,prompts,src,test,scripts}/**/*.{md,yaml,html,css}']
    const ignore = ['*.tgz', '**/__snapshots__']
    for (const file of await fastGlob(files, { cwd: root, dot: true, ignore })) {
      const text = await read(file)
      expect(text.endsWith('\n'), file).toBe(true)
      expect(text, file).not.toMatch(/\r|[ \t]$/m)
    }
  })
})

interface FormElement {
  readonly type: string
  readonly id?: string
  readonly attributes: {
    readonly label?: string
    readonly value?: string
    readonly description?: string
    readonly options?: readonly string[]
  }
}

const forms = await fastGlob('.github/ISSUE_TEMPLATE/!(config).yml', { cwd: root, dot: true })

describe('the issue forms', () => {
  it.each(forms)('%s is a form that GitHub accepts', async (file) => {
    const { name, description, body } = parse(await read(file)) as {
      name: unknown
      description: unknown
      body: readonly FormElement[]
    }
    expect([name, description]).toEqual([expect.stringMatching(/\w/), expect.stringMatching(/\w/)])
    const fields = body.filter(({ type }) => type !== 'markdown')
    expect(fields.length).toBeGreaterThan(0)
    for (const { type, attributes } of body) {
      expect(['markdown', 'textarea', 'input', 'dropdown', 'checkboxes']).toContain(type)
      if (type === 'markdown') expect(attributes.value).toMatch(/\w/)
      else expect(attributes.label).toMatch(/\w/)
      if (type === 'dropdown') {
        const options = attributes.options ?? []
        expect(options.every((option) => typeof option === 'string')).toBe(true)
        expect([new Set(options).size, options.length > 0]).toEqual([options.length, true])
      }
    }
    for (const values of [fields.map(({ id }) => id), fields.map(({ attributes }) => attributes.label)])
      expect(new Set(values).size).toBe(fields.length)
    for (const { id } of fields) expect(id).toMatch(/^[a-zA-Z0-9_-]+$/)
  })

  it('ask for the output of doctor, and warn about keys and private documents', async () => {
    const bug = await read('.github/ISSUE_TEMPLATE/bug.yml')
    for (const text of ['claude-batch doctor', 'Remove keys', 'private documents'])
      expect(bug).toContain(text)
    expect(await read('.github/ISSUE_TEMPLATE/document.yml')).toContain('Do not attach a private document')
  })

  it('link to files that exist', async () => {
    const files = await fastGlob('.github/**/*.{md,yml}', { cwd: root, dot: true })
    const texts = await Promise.all(files.map(read))
    const links = texts.flatMap((text) => [...text.matchAll(/\]\(\.\.\/blob\/main\/([^)#]+)/g)])
    expect(links.length).toBeGreaterThan(1)
    for (const [, path = ''] of links) await expect(read(path), path).resolves.toBeTruthy()
  })
})

describe('the workflows', () => {
  const workflows = fastGlob.sync('.github/workflows/*.yml', { cwd: root, dot: true })

  it.each(workflows)(
    '%s pins actions by commit, with the version, and grants the least permissions',
    async (file) => {
      const text = await read(file)
      const { permissions, jobs } = parse(text)
      expect(permissions).toEqual({ contents: 'read' })
      for (const [, action = ''] of text.matchAll(/uses: (.*)/g))
        expect(action).toMatch(/^(\.\/\S+|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/)
      for (const job of Object.values<{ uses?: string; 'timeout-minutes'?: number }>(jobs))
        expect(job.uses ?? job['timeout-minutes']).toBeDefined()
    },
  )

  it('CI runs `.ci/run` with the oldest supported version of Node and with later ones', async () => {
    const { engines } = JSON.parse(await read('package.json'))
    const { linux } = parse(await read('.github/workflows/ci.yml')).jobs
    expect(engines.node).toBe(`>=${linux.strategy.matrix.node[0]}`)
    expect(linux.strategy.matrix.node).toEqual(['20.19', '22', '24', '26'])
    expect(linux.steps.at(-1)).toEqual({ run: '.ci/run' })
  })

  it('a release is published only after CI, by a job that alone may ask for an identity', async () => {
    const { jobs } = parse(await read('.github/workflows/release.yml'))
    expect(jobs.ci).toEqual({ uses: './.github/workflows/ci.yml' })
    expect(jobs.publish).toMatchObject({
      needs: 'ci',
      permissions: { contents: 'read', 'id-token': 'write' },
    })
    expect(jobs.publish.steps.at(-1)).toEqual({ run: 'npm publish --provenance' })
  })
})
