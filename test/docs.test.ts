import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import fastGlob from 'fast-glob'
import { describe, expect, it } from 'vitest'
import { createMetrics } from '../src/serve/metrics.ts'
import { faults } from '../src/simulator/script.ts'

const root = resolve(import.meta.dirname, '..')
/** The text of a page without repeated spaces, because tables may be aligned. */
const page = async (path: string) => (await readFile(resolve(root, path), 'utf8')).replace(/ +/g, ' ')
const pages = await fastGlob(['*.md', '{docs,examples}/**/*.md', 'fixtures/*.md'], { cwd: root })
const removeCodeBlocks = (text: string) => text.replaceAll(/^```.*?^```$/gms, '')
/** The anchors that GitHub gives to the headings of a page. */
const listAnchors = (text: string) =>
  Array.from(removeCodeBlocks(text).matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
const decisionsAndReadmes = await fastGlob(['docs/decisions/*.md', 'src/**/README.md'], { cwd: root })

describe('the documentation', () => {
  it.each(pages)('%s links to pages and headings that exist', async (page) => {
    const text = await readFile(resolve(root, page), 'utf8')
    const links = removeCodeBlocks(text).matchAll(/\]\((?!https?:|…)([^)#\s]*)(?:#([^)\s]+))?\)/g)
    for (const [, path = '', anchor] of links) {
      const target = path === '' ? text : await readFile(resolve(root, dirname(page), path), 'utf8')
      expect(target, path).not.toBe('')
      if (anchor !== undefined) expect(listAnchors(target), path).toContain(anchor)
    }
  })

  it.each([...pages, ...decisionsAndReadmes])('%s names only scripts of npm that exist', async (page) => {
    const { scripts } = JSON.parse(await readFile(resolve(root, 'package.json'), 'utf8'))
    const text = await readFile(resolve(root, page), 'utf8')
    for (const [, name] of text.matchAll(/npm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(name)
  })

  it.each(['docs/design.md', 'docs/glossary.md', 'docs/rate-limits.md', ...decisionsAndReadmes])(
    '%s mentions only source files that exist',
    async (page) => {
      const text = await readFile(resolve(root, page), 'utf8')
      const folder = page.startsWith('src/') ? dirname(page) : '.'
      for (const [, path = ''] of text.matchAll(/`([\w./-]+\.ts)`/g)) {
        const places = ['.', 'src', folder].map((place) => resolve(root, place, path))
        expect(places.some(existsSync), path).toBe(true)
      }
    },
  )

  it('has an index of all decisions, which are numbered without gaps', async () => {
    const index = await page('docs/decisions/README.md')
    const files = await fastGlob('0*.md', { cwd: resolve(root, 'docs/decisions') })
    for (const [n, file] of files.sort().entries()) {
      expect(file.slice(0, 4)).toBe(String(n + 1).padStart(4, '0'))
      const [heading = ''] = (await page(`docs/decisions/${file}`)).split('\n')
      expect(index).toContain(`| ${n + 1} | [${heading.replace(`# ${n + 1}. `, '')}](${file}) | `)
    }
  })

  it('lists every fault of the simulator with its effect', async () => {
    const simulator = await page('docs/simulator.md')
    for (const [name, effect] of Object.entries(faults))
      expect(simulator).toContain(`| \`${name}\` | ${effect} |`)
  })

  it('lists the paths, error types and metrics of the server', async () => {
    const serve = await page('docs/serve.md')
    const files = await fastGlob('src/serve/*.ts', { cwd: root })
    const code = (await Promise.all(files.map((file) => readFile(resolve(root, file), 'utf8')))).join('\n')
    const paths = Array.from(code.matchAll(/\.(get|post)\('(.*?)'/g), ([, way = '', path]) => {
      return `\`${way.toUpperCase()} ${path}\``
    })
    const types = Array.from(code.matchAll(/type: '([a-z_]+)'/g), ([, type]) => `\`${type}\``)
    const metrics = await createMetrics(
      () => 0,
      () => 0,
    ).render()
    const names = Array.from(metrics.matchAll(/^# TYPE (\w+)/gm), ([, name]) => `| \`${name}`)
    expect([paths.length, types.length, names.length].every((count) => count > 3)).toBe(true)
    for (const words of [...paths, ...types, ...names]) expect(serve).toContain(words)
  })

  it('gives a reason for every dependency', async () => {
    const { devDependencies } = JSON.parse(await readFile(resolve(root, 'package.json'), 'utf8'))
    const licences = await readFile(resolve(root, 'dist/third-party-licenses.txt'), 'utf8')
    const bundled = Object.keys(devDependencies).filter((name) => licences.includes(`\n${name} `))
    expect(bundled).toContain('commander')
    const design = await page('docs/design.md')
    for (const name of bundled) expect(design).toContain(`| \`${name}\` | `)
  })

  it('shows the measured figures of the crash and rerun benchmarks', async () => {
    const ledger = await page('docs/ledger.md')
    const json = async (path: string) => JSON.parse(await readFile(resolve(root, path), 'utf8'))
    const { kills, power_losses: powerLosses } = await json('bench/crash.json')
    for (const [name, it] of Object.entries({ 'kill -9': kills, 'power loss': powerLosses })) {
      const { count, torn, lost, different, paidTwice, mostPaidTwice, recovered } = it
      const row = [name, count, torn, lost, different, paidTwice, mostPaidTwice, recovered]
      expect(ledger).toContain(`| ${row.join(' | ')} |`)
    }
    const { machine: _, ...reruns } = await json('bench/rerun.json')
    const performance = await page('docs/performance.md')
    const runs = Object.entries(reruns as Record<string, Rerun>)
    for (const [documents, { nothingToDo, dryRun }] of runs) {
      const describe = ({ seconds, cpuSeconds }: RerunCost) => [
        Number(documents).toLocaleString('en-US'),
        `${seconds} s`,
        `${cpuSeconds} s`,
      ]
      const { timesLoop, timesLoopOverDocuments, timesSyncLoop } = nothingToDo
      const nothing = [...describe(nothingToDo), timesLoop, timesLoopOverDocuments, timesSyncLoop]
      expect(ledger).toContain(`| ${[...nothing, `${nothingToDo.memoryOverNodeMb} MB`].join(' | ')} |`)
      const dry = [...describe(dryRun), dryRun.timesLoop, dryRun.timesSyncLoop]
      expect(performance).toContain(`| ${[...dry, `${dryRun.memoryOverNodeMb} MB`].join(' | ')} |`)
    }
  })

  it('shows the measured figures of the soak test, which lost and damaged nothing', async () => {
    const ledger = await page('docs/ledger.md')
    const soak = JSON.parse(await readFile(resolve(root, 'bench/soak.json'), 'utf8'))
    expect(ledger).toContain(`${soak.minutes} minutes, ${soak.kinds_of_faults} kinds of faults`)
    const work = ['rounds', 'runs', 'documents', 'requests', 'faults', 'kills', 'signals', 'pauses', 'clocks']
    const bill = ['whole', 'recorded', 'cut_off', 'paid_twice', 'broken', 'lost_on_the_way']
    const violations = ['lost', 'torn', 'unexplained', 'paid_twice_too_often', 'ledger_off', 'other']
    for (const names of [work, bill, violations]) {
      const row = names.map((name) => soak[name].toLocaleString('en-US'))
      expect(ledger).toContain(`| ${row.join(' | ')} |`)
    }
    expect(soak).toMatchObject({ lost: 0, torn: 0, unexplained: 0, other: 0 })
  })

  it('shows the measured figures of the Slurm array, which lost nothing', async () => {
    const { slurmArray: it } = JSON.parse(await readFile(resolve(root, 'bench/shards.json'), 'utf8'))
    const requeued = it.kills.filter((kill: string) => kill.startsWith('requeue')).length
    const [first, ...again] = it.submitted.map((tasks: string) => tasks.split(',').length)
    const run = [
      it.kills.length - requeued,
      requeued,
      `${[first, ...again].join(', then ')} tasks`,
      `${Math.round(it.seconds).toLocaleString('en-US')} s`,
      (it.seconds / it.best).toFixed(3),
      `${((it.limited / it.requests) * 100).toFixed(1)} %`,
      it.lost,
      it.doubled,
    ]
    const other = [
      `${it.firstRequestSeconds.toFixed(1)} s`,
      `${it.task.peakMb} MB`,
      `${it.task.cpuMsPerDocument.toFixed(1)} ms`,
      `${Math.round(it.merges[0].seconds)} s`,
      `${Math.round(it.merges.at(-1).seconds)} s`,
      `${Math.round(it.merges.at(-1).peakMb)} MB`,
    ]
    const text = await page('docs/many-machines.md')
    for (const row of [run, other]) expect(text).toContain(`| ${row.join(' | ')} |`)
    const { documents, rpm } = it
    expect(text).toContain(
      `${documents.toLocaleString('en-US')} documents in a Slurm array of ${first} tasks`,
    )
    expect(text).toContain(`${rpm.toLocaleString('en-US')} requests per\nminute`)
    expect(it).toMatchObject({ lost: 0, doubledBeyondFlight: 0, sentAfterMerge: 0 })
  })

  it('shows the measured overhead of serve', async () => {
    const { latency, crowd } = JSON.parse(await readFile(resolve(root, 'bench/serve.json'), 'utf8'))
    const { directMs, serveMs, ratio, rounds } = latency
    const { clients, hungUp, upstreamCancelled, slowestCancelMs, wrong, limited, left } = crowd
    const serve = await page('docs/serve.md')
    const first = [`${directMs.toFixed(1)} ms`, `${serveMs.toFixed(1)} ms`, ratio.toFixed(3), rounds]
    expect(serve).toContain(`| ${first.join(' | ')} |`)
    const counts = [clients, hungUp, upstreamCancelled, `${slowestCancelMs.toFixed(0)} ms`, wrong, limited]
    const rest = [left.sockets, left.timers, `${left.heapMB.toFixed(1)} MB`]
    expect(serve).toContain(`| ${[...counts, ...rest].join(' | ')} |`)
  })

  it('shows what each module of the library costs', async () => {
    const { machine: _, ...library } = JSON.parse(
      await readFile(resolve(root, 'bench/library.json'), 'utf8'),
    ) as { machine: object } & Record<string, LibraryCost>
    const performance = await page('docs/performance.md')
    for (const { user_ms: userMs, times_bare: times, loaded, bundled_bytes: bundled } of Object.values(
      library,
    )) {
      const inKilobytes = (bytes: number) => `${Math.round(bytes / 1000)} kB`
      const sizes =
        loaded && bundled ? [loaded.files, inKilobytes(loaded.bytes), inKilobytes(bundled)] : ['', '', '']
      const row = [`${userMs.median.toFixed(0)} ms`, times.toFixed(1), ...sizes]
      expect(performance).toContain(`| ${row.join(' | ')} |`.replace(/ +/g, ' '))
    }
    const { exports } = JSON.parse(await readFile(resolve(root, 'package.json'), 'utf8'))
    const entries = Object.keys(exports).filter((path) => typeof exports[path] === 'object')
    for (const entry of entries) expect(Object.keys(library)).toContain(entry.replace('.', 'claude-batch'))
  })

  it('shows the measured start time, overhead and memory', async () => {
    const json = async (name: string) =>
      JSON.parse(await readFile(resolve(root, `bench/${name}.json`), 'utf8'))
    const [start, overhead, { machine, peakMbByDocuments: peakMb, ...scale }] = await Promise.all(
      ['start', 'overhead', 'scale'].map(json),
    )
    const started = ['bare Node', '--version', '--help', 'one document', 'one document, plain SDK']
    const rows = [
      ...started
        .map((name) => start[name])
        .map(({ cpu_ms: ms, times_bare: times }) => [`${ms.median.toFixed(0)} ms`, times.toFixed(2)]),
      ...['claude-batch', 'plain SDK loop', 'bare undici loop']
        .map((name) => overhead[name])
        .map(({ userMs, times_plain: times }) => [
          `${(userMs.median / 1000).toFixed(1)} s`,
          times.toFixed(2),
        ]),
      ...Object.values(scale as Record<string, Scale>).map((it) => [
        `${it.seconds} s`,
        `${it.firstAnswerMs} ms`,
        `${it.tenths[0]} … ${it.tenths.at(-1)}`,
        `${it.peakMb} MB`,
        `${it.plain.peakMb} MB`,
        `${it.rerun.seconds} s`,
      ]),
    ]
    const performance = await page('docs/performance.md')
    expect(performance).toContain(`${peakMb['20000']} MB, 1,000 documents ${peakMb['1000']} MB`)
    expect(performance).toContain(machine.node.replace(/\.\d+$/, ''))
    for (const row of rows) expect(performance).toContain(`| ${row.join(' | ')} |`)
  })

  it('shows the measured cost of long documents', async () => {
    const { bytes, runs } = JSON.parse(await readFile(resolve(root, 'bench/book.json'), 'utf8'))
    const text = await page('docs/long-documents.md')
    expect(text).toContain(`A book of ${Math.round(bytes / 1e6)} MB`)
    for (const it of runs) {
      const again = `${it.againAfterEdit} requests, $${it.againUsd.toFixed(4)}`
      const row = [it.pool, it.requests, `${it.seconds} s`, `$${it.costUsd.toFixed(3)}`, again]
      expect(text).toContain(`| ${row.join(' | ')} |`)
    }
  })

  it('explains only messages that exist in the code', async () => {
    const files = await fastGlob('src/**/*.ts', { cwd: root, absolute: true })
    const source = (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n')
    const words = [...(await page('docs/troubleshooting.md')).matchAll(/^\| `([^`]+)` \|/gm)].map(
      ([, it]) => it,
    )
    expect(words.length).toBeGreaterThan(20)
    for (const said of words) expect(source).toContain(said)
  })

  it('lists every document of the fixtures', async () => {
    const documents = await fastGlob('**', { cwd: resolve(root, 'fixtures/documents') })
    const table = await readFile(resolve(root, 'fixtures/README.md'), 'utf8')
    for (const document of documents) expect(table).toContain(document)
  })
})

interface LibraryCost {
  readonly user_ms: { readonly median: number }
  readonly times_bare: number
  readonly loaded?: { readonly files: number; readonly bytes: number }
  readonly bundled_bytes?: number
}

interface RerunCost {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly memoryOverNodeMb: number
  readonly timesLoop: number
  readonly timesSyncLoop: number
}

interface Rerun {
  readonly nothingToDo: RerunCost & { readonly timesLoopOverDocuments: number }
  readonly dryRun: RerunCost
}

interface Scale {
  readonly seconds: number
  readonly firstAnswerMs: number
  readonly tenths: readonly number[]
  readonly peakMb: number
  readonly plain: { readonly peakMb: number }
  readonly rerun: { readonly seconds: number }
}
