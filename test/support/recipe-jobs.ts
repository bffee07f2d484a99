import { createWriteStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import postalMime from 'postal-mime'
import { expect, onTestFinished, vi } from 'vitest'
import { parse } from 'yaml'
import { longWait } from './long-wait.ts'
import { createPdf, show } from './pdf.ts'
import { startCli } from './run-cli.ts'
import type { ShellResult } from './run-shell.ts'
import { writeDocxTable } from './table-documents.ts'

/** What a job did, and means to continue with it. */
interface Done extends ShellResult {
  /** The blocks of commands on the page. */
  readonly commands: readonly string[]
  read(path: string): string
  list(path: string): string[]
  shell(commands: string): Promise<ShellResult>
  /** Runs the job of the crontab as cron does. */
  runCron(): Promise<ShellResult>
  requestCount(): number
}

interface Setting {
  readonly cwd: string
  readonly env: Record<string, string>
}

export interface Job {
  readonly files: Readonly<Record<string, string | Buffer>>
  /** Replies by a pattern for the model and the prompt; otherwise, the simulator replies. */
  readonly replies?: Readonly<Record<string, string | object>>
  /** Scripts that stand in for programs. */
  readonly programs?: Readonly<Record<string, string>>
  /** Pages of https://example.org by their path. */
  readonly website?: Readonly<Record<string, Buffer>>
  /** Commands to run first. */
  readonly setUp?: string
  /** How many requests the model answers immediately. It answers the others after `before`. Default: all. */
  readonly immediateReplies?: number
  /** Called first. @param answer lets the model answer all requests */
  readonly before?: (setting: Setting, answer: () => void) => Promise<void>
  /** Checks the results. @returns the text that the samples are from */
  check(done: Done): string | Promise<string>
}

const root = resolve(import.meta.dirname, '../..')
const fixture = (path: string) => readFileSync(join(root, 'fixtures', path))
const pdf = (text: string) => createPdf([{ content: show(text) }])
const docx = (...rows: readonly (readonly string[])[]) =>
  writeDocxTable(rows.map((row) => row.map((text) => ({ paragraphs: [text] }))))

const git = 'git -c init.defaultBranch=main -c user.name=Ann -c user.email=ann@example.org'
const docs = {
  'docs/meeting-notes.md': fixture('documents/meeting-notes.md'),
  'docs/reports/outage-2026-09.md': fixture('documents/reports/outage-2026-09.md'),
  'docs/web/opening-hours.html': fixture('documents/web/opening-hours.html'),
}

/** The jobs of docs/recipes.md by their titles, in the order of the page. */
export const jobs: Readonly<Record<string, Job>> = {
  'Put contracts into a spreadsheet': {
    files: {
      'contracts/cleaning.docx': docx(
        ['Contractor', 'Hansen Renhold AS'],
        ['Subject', 'cleaning of the terminal'],
      ),
      'contracts/mooring.pdf': pdf('Lease of mooring 14 to Zoe Muller, with a notice of one month.'),
      'contracts/odd.pdf': pdf('A contract whose parties and subject are formulas.'),
      'contracts/wide.pdf': pdf('A contract with other signs.'),
    },
    replies: {
      'Hansen Renhold': {
        parties: 'Norvik Harbour Board; Hansen Renhold AS',
        subject: 'cleaning of the terminal',
        ends_on: '2027-03-31',
        notice_months: 3,
      },
      'mooring 14': {
        parties: 'Norvik Harbour Board; Zoë Müller',
        subject: 'lease of mooring 14',
        ends_on: null,
        notice_months: 1,
      },
      formulas: {
        parties: '=HYPERLINK("http://example.org/"&A1); B',
        subject: '\t=1+1',
        ends_on: '@SUM(1)',
        notice_months: -1,
      },
      'other signs': { parties: '+1', subject: '-2+3', ends_on: '＝1+1', notice_months: null },
    },
    check({ read }) {
      const csv = read('contracts.csv')
      const [head = [], ...rows] = parseCsv(csv.slice(1))
      expect([head[0], ...head.slice(-4)]).toEqual(['path', 'parties', 'subject', 'ends_on', 'notice_months'])
      expect(rows.map((row) => [row[0], ...row.slice(-4)])).toEqual([
        [
          'contracts/cleaning.docx',
          'Norvik Harbour Board; Hansen Renhold AS',
          'cleaning of the terminal',
          '2027-03-31',
          '3',
        ],
        ['contracts/mooring.pdf', 'Norvik Harbour Board; Zoë Müller', 'lease of mooring 14', '', '1'],
        ['contracts/odd.pdf', '\'=HYPERLINK("http://example.org/"&A1); B', "'\t=1+1", "'@SUM(1)", '-1'],
        ['contracts/wide.pdf', "'+1", "'-2+3", "'＝1+1", ''],
      ])
      return csv.replaceAll('\r\n', '\n')
    },
  },
  'Turn meeting transcripts into minutes': {
    files: {
      'meetings/launch.vtt':
        'WEBVTT\n\n00:00:01.000 --> 00:00:04.000\n<v Ilse>We move the launch to 14 May.</v>\n\n00:00:05.000 --> 00:00:08.000\n<v Tobin>I will inform the press by Friday.</v>\n',
    },
    replies: {
      'Ilse: We move':
        '## Decisions\n- The launch moves to 14 May.\n\n## Tasks\n- Tobin: inform the press, by Friday',
    },
    check: ({ read }) => read('minutes/meetings/launch.vtt.summary.md'),
  },
  'Find the decisions in a chat export': {
    files: {
      'chat/harbour/2026-11-01.json': '[{"user":"ilse","text":"Good morning."}]',
      'chat/harbour/2026-11-02.json': '[{"user":"ilse","text":"We dredge in May."}]',
      'chat/users.json': '[{"id":"ilse"}]',
    },
    replies: { 'dredge in May': '- Ilse: dredge in May', '.*': 'none' },
    check({ stdout, list }) {
      expect(list('decisions/chat')).toEqual(['harbour', 'users.json.summary.md'])
      return stdout
    },
  },
  'Sort incoming mail by urgency': {
    files: {
      'inbox/price.eml': fixture('kinds/eml-smime-signed.eml'),
      'inbox/offer.eml': fixture('kinds/eml-forward-as-attachment.eml'),
      'inbox/figures.eml': fixture('kinds/eml-stub-text.eml'),
      'inbox/new/1700000000.M1P2.host:2,S': fixture('kinds/eml-calendar-only.eml'),
    },
    replies: {
      'Subject: Signed': {
        urgency: '2 this week',
        topic: 'order',
        request: 'confirms the price of 4711 euro',
      },
      'Subject: Offer': {
        urgency: '1 today',
        topic: 'question',
        request: 'asks whether the offer can be signed',
      },
      'HTML-BODY': { urgency: '3 no reply', topic: 'other', request: 'sends figures' },
      Appointment: { urgency: '3 no reply', topic: 'question', request: 'invites to a meeting' },
    },
    check({ stdout }) {
      expect(stdout.split('\n').map((line) => line.split('\t').at(-1))).toEqual([
        'inbox/offer.eml',
        'inbox/price.eml',
        'inbox/figures.eml',
        'inbox/new/1700000000.M1P2.host:2,S',
        '',
      ])
      return stdout
    },
  },
  'Make a reading list of papers': {
    files: {
      'papers/ferry.pdf': fixture('kinds/libreoffice.pdf'),
      'papers/tides, 2nd ed.pdf': pdf('Why there are two tides a day. By Ann Example.'),
    },
    replies: {
      'Ferry timetable review': {
        title: 'Ferry timetable review',
        first_author: 'Solheim',
        year: 2026,
        finding: 'The ferry is late because it waits for the bus.',
      },
      'two tides': {
        title: 'Two tides',
        first_author: 'Example',
        year: null,
        finding: 'The moon pulls twice.',
      },
    },
    check({ read }) {
      const list = read('reading-list.md')
      expect(list).toContain('- [Two tides](<papers/tides, 2nd ed.pdf>) (Example, no year): The moon')
      return list
    },
  },
  'Summarize web pages from a list of URLs': {
    files: {},
    website: {
      '/opening-hours': fixture('documents/web/opening-hours.html'),
      '/timetable.pdf': fixture('kinds/libreoffice.pdf'),
    },
    async check({ list, read, shell, requestCount }) {
      const pages = list('summaries/pages')
      expect(pages).toHaveLength(2)
      expect(read(`summaries/pages/${pages[1]}`)).toContain('ferry')
      expect(read('overview.md')).not.toBe('')
      const requests = requestCount()
      // Outside of the content of the page.
      await shell(`sed -i 's/<head>/<head><script>visit = 2<\\/script>/' pages/*hours.html`)
      expect(read(`pages/${list('pages')[0]}`)).toContain('visit = 2')
      expect(await shell('claude-batch summarize pages --digest overview.md')).toMatchObject({ code: 0 })
      expect(requestCount()).toBe(requests)
      return pages.map((name) => `summaries/pages/${name}\n`.replace(/127.0.0.1_\d+/, 'example.org')).join('')
    },
  },
  'Mail a digest every week': {
    files: docs,
    programs: { sendmail: 'echo "$@" > sendmail.args; cat > sendmail.mail' },
    replies: {
      'overview of these documents':
        'The committee repairs the slipway and raises the fees for 2027 ([docs/meeting-notes.md](docs/meeting-notes.md)).',
    },
    setUp: 'touch -d 2020-01-01 docs/reports/*',
    async check({ runCron, read, list, shell }) {
      expect(await runCron()).toEqual({ code: 0, stdout: '', stderr: '' })
      expect(list('summaries/docs')).toEqual(['meeting-notes.md.summary.md'])
      expect(read('sendmail.args')).toBe('-t\n')
      const { to, subject, text } = await postalMime.parse(read('sendmail.mail'))
      expect(to).toMatchObject([{ address: 'team@example.org' }])
      await shell('rm sendmail.*; find docs -type f -exec touch -d 2020-01-01 {} +')
      const without = await runCron()
      expect(without).toMatchObject({
        stdout: '',
        stderr: expect.stringContaining('list of --files-from is empty'),
      })
      expect(list('.')).not.toContain('sendmail.mail')
      return `Subject: ${subject}\n\n${text}`
    },
  },
  'Summarize files of a format that claude-batch does not read': {
    files: { 'accounts/2025.xls': 'Fees,1200\n', 'accounts/notes.md': 'The fees rise in 2027.\n' },
    programs: { xls2csv: 'cat "$1"' },
    check({ read, stderr }) {
      expect(read('summaries/accounts/2025.xls.summary.md')).toContain('Fees,1200')
      return stderr
    },
  },
  'Summarize a file from the shell or the file manager': {
    files: {
      'report.docx': fixture('kinds/libreoffice.docx'),
      'Desktop/a b.pdf': pdf('The tide is high at ten.'),
    },
    replies: {
      'Ferry timetable':
        'The Harbour Board reviewed the timetable of the ferry.\n- The ferry is late because it waits for the bus from Voss.',
    },
    async check({ stdout, stderr, shell, list }) {
      expect(stderr).toBe('')
      const script = '~/.local/share/nautilus/scripts/Summarize "a b.pdf" ../report.docx'
      expect(await shell(`cd Desktop; ${script}`)).toEqual({ code: 0, stdout: '', stderr: '' })
      expect(list('Desktop')).toContain('a b.pdf.summary.md')
      return stdout
    },
  },
  'Begin with a few documents of a large folder': {
    files: Object.fromEntries(
      ['1.md', '2.md', '3.md', '2025/4.md', '2025/5.md'].map((name) => [
        `archive/minutes/${name}`,
        `Minutes in ${name}.`,
      ]),
    ),
    check({ stderr, list, requestCount }) {
      expect(list('summaries/minutes')).toEqual([
        '1.md.summary.md',
        '2.md.summary.md',
        '2025',
        '3.md.summary.md',
      ])
      expect(requestCount()).toBe(5)
      return stderr
    },
  },
  'Publish summaries in a static site or an Obsidian vault': {
    files: docs,
    check({ read }) {
      const page = read('site/content/docs/meeting-notes.md.summary.md')
      const [, head = '', body = ''] = page.split(/^---$/m)
      expect(parse(head)).toMatchObject({
        title: 'docs/meeting-notes.md',
        source: 'docs/meeting-notes.md',
        model: 'claude-haiku-5-5',
      })
      expect(body).toMatch(/Orrin/)
      expect(read('site/content/docs/web/opening-hours.html.summary.md')).toContain('title: "docs/web')
      return page
    },
  },
  'Publish all summaries as one web page': {
    files: docs,
    check({ read }) {
      const page = read('site/summaries.html')
      expect(page).toContain('Orrin')
      return page
    },
  },
  'Find documents by their summaries': {
    files: docs,
    replies: { 'Harbour committee': 'The committee repairs the slipway.' },
    check({ stdout }) {
      expect(stdout).toBe('docs/meeting-notes.md\n')
      return stdout
    },
  },
  'Write an llms.txt for your documentation': {
    files: docs,
    replies: { 'Harbour committee': 'Decisions on the slipway and the fees for 2027.' },
    check({ read }) {
      const index = read('llms.txt')
      expect(index).toMatch(
        /^# .*\n\n## .*\n\n(- \[docs\/.*\]\(<https:\/\/example.org\/docs\/.*>\): .*\n){3}$/,
      )
      return index
    },
  },
  'Write alternative texts for images': {
    files: { 'images/harbour.jpg': fixture('kinds/image.jpg'), 'images/notes.txt': 'Not an image.' },
    replies: { 'alternative text': 'A white ferry leaves the harbour of Norvik at dawn.' },
    check: ({ stdout }) => stdout,
  },
  'Report what was spent': {
    files: { ...docs, '=1+1/a.md': 'It rains.' },
    setUp: 'claude-batch summarize docs =1+1 --quiet',
    async check({ read, shell }) {
      const csv = read('costs.csv')
      const [head, ...rows] = parseCsv(csv)
      expect(head).toHaveLength(5)
      expect(rows.map(([folder]) => folder).sort()).toEqual(["'=1+1", 'docs', 'docs/reports', 'docs/web'])
      const total = Number((await shell('claude-batch report --format json | jq .totals.cost_usd')).stdout)
      expect(rows.reduce((sum, row) => sum + Number(row[4]), 0)).toBeCloseTo(total, 12)
      expect(read('report.html')).toContain('Orrin')
      return csv
    },
  },
  'Post the cost of each run to a chat': {
    files: docs,
    programs: { curl: 'cat > message.json; echo "$@" > curl.args' },
    check({ read }) {
      const { text } = JSON.parse(read('message.json'))
      expect(text).toMatch(/^3 new summaries, \$0\.00\d+$/)
      expect(read('curl.args')).toMatch(/-d @- https:\/\/example\.org\/hook\n$/)
      return text
    },
  },
  'Summarize the documents that a pull request changes': {
    files: docs,
    programs: { gh: 'echo "$@" > gh.args; cp "$4" gh.body' },
    setUp: `${git} init -q; git add docs; ${git} commit -qm start; git update-ref refs/remotes/origin/main HEAD
      echo 'It rains.' > docs/timetable.md; echo x >> docs/reports/*.md; git rm -q docs/meeting-notes.md; git add docs
      ${git} commit -qm change`,
    async check({ read, shell, list, commands }) {
      expect(read('gh.args')).toBe('pr comment --body-file changes.md\n')
      const report = read('gh.body')
      expect(report).toContain('[simulated] It rains.')
      expect(list('summaries/docs')).toEqual(['reports', 'timetable.md.summary.md'])
      // A pull request without documents.
      await shell('rm gh.*; git update-ref refs/remotes/origin/main HEAD')
      expect(await shell(commands.join('\n'))).toMatchObject({ code: 0, stderr: '' })
      expect(list('.')).not.toContain('gh.body')
      return report
    },
  },
  'Draft release notes from commits': {
    files: { 'app.js': 'console.log(1)\n' },
    setUp: `${git} init -q; git add app.js; ${git} commit -qm 'Begin'; git tag v1.0
      echo 2 > app.js; ${git} commit -qam 'Show the departures on Sundays'`,
    replies: { '- Show the departures': '## Fixed\n- The timetable shows the departures on Sundays.' },
    check({ read }) {
      const notes = read('NOTES.md')
      expect(notes).not.toContain('Begin')
      return notes
    },
  },
  'Describe the source files of a repository': {
    files: {
      'src/tide_table.py': fixture('documents/code/tide_table.py'),
      'src/web/app.ts': 'export const port = 80\n',
      'src/generated/big.ts': 'export const table = []\n',
      '.gitignore': 'generated/\n',
    },
    check({ list }) {
      expect(list('map/src/web')).toEqual(['MAP.md', 'app.ts.summary.md'])
      const files = list('map/src')
      expect(files).not.toContain('generated')
      return files.map((name) => `map/src/${name}\n`).join('')
    },
  },
  'Find out what a log shows': {
    files: { 'app.log': 'ERROR no space left on device: db-1\n'.repeat(41) },
    replies: {
      'no space left on device': 'Disk full on db-1: 41 errors, 03:12 to 03:48. Check the replication slots.',
    },
    check: ({ stdout }) => stdout,
  },
  'Run every night, with mail only about failures': {
    files: { ...docs, 'docs/broken.pdf': '%PDF-1.7 cut off' },
    async check({ runCron, shell }) {
      const { code, stdout, stderr } = await runCron()
      expect([code, stdout, stderr.trimEnd().split('\n').length]).toEqual([1, '', 1])
      await shell('rm docs/broken.pdf; echo "It rains." > docs/rain.md')
      expect(await runCron()).toEqual({ code: 0, stdout: '', stderr: '' })
      return stderr
    },
  },
  'Summarize 100,000 documents within a monthly budget': {
    files: Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [`docs/${n}.md`, `Note ${n} on the harbour.`]),
    ),
    async check({ shell, list, commands }) {
      const [, job = ''] = commands.join('\n').split('\n')
      const countSummaries = () => list('summaries/docs').filter((name) => name.endsWith('.md')).length
      expect(countSummaries()).toBe(1)
      await vi.waitUntil(async () => {
        expect(await shell(job)).toMatchObject({ code: 0, stdout: '' })
        return countSummaries() === 40
      }, longWait)
      await shell('for n in 1 2 3; do echo "It rains $n times." > docs/new-$n.md; done')
      const { code, stderr } = await shell(job.replace('30d=300', '30d=0.0001'))
      expect(code).toBe(5)
      return stderr
    },
  },
  'Split the work between machines': {
    files: Object.fromEntries(
      Array.from({ length: 16 }, (_, n) => [`docs/${n}.md`, `Note ${n} on the harbour.`]),
    ),
    programs: { ssh: 'echo "$1" >> hosts; shift; exec sh -c "$*"' },
    check({ stdout, read, list }) {
      expect(read('hosts').split('\n').sort()).toEqual(['', 'node1', 'node2', 'node3'])
      const parts = ['part1', 'part2', 'part3'].map((part) => list(`${part}/docs`))
      expect(parts.every((part) => part.length > 0)).toBe(true)
      expect(new Set(parts.flat()).size).toBe(16)
      expect(parts.flat()).toHaveLength(16)
      expect(list('all/docs').sort()).toEqual(parts.flat().sort())
      return stdout
    },
  },
  'Show the progress of a run in another program': {
    files: docs,
    check({ stdout }) {
      const lines = stdout.trimEnd().split('\n')
      expect(lines).toHaveLength(4)
      expect(lines[2]).toMatch(/^3 of 3: docs\/.* summarized$/)
      return stdout
    },
  },
  'Continue after Ctrl-C, a crash or a closed laptop': {
    files: Object.fromEntries(
      Array.from({ length: 300 }, (_, n) => [`docs/${n}.md`, `Note ${n} on the harbour.`]),
    ),
    // Fewer than the documents left over by the largest number of requests in flight.
    immediateReplies: 20,
    async before({ cwd, env }, answer) {
      const listSummaries = () =>
        readdirSync(join(cwd, 'summaries'), { recursive: true }).filter((it) => /md$/.test(`${it}`))
      const isStarted = () => existsSync(join(cwd, 'summaries')) && listSummaries().length > 0
      const { child, ended } = await startCli(['summarize', 'docs'], { cwd, env }, isStarted)
      child.kill('SIGINT')
      answer()
      expect(await ended).toMatchObject({ signal: 'SIGINT' })
      expect(listSummaries().length).toBeLessThan(300)
    },
    check({ stderr, list, requestCount }) {
      expect(list('summaries/docs')).toHaveLength(300)
      expect(requestCount()).toBe(300)
      return stderr
    },
  },
  'See in Jaeger where the time of a run goes': {
    files: docs,
    programs: { npm: `echo "$@" > npm.args; ln -s ${join(root, 'node_modules')} node_modules` },
    async before({ cwd, env }) {
      const server = createServer((request, response) => {
        request
          .pipe(createWriteStream(join(cwd, 'spans.otlp'), { flags: 'a' }))
          .on('finish', () => response.end())
      })
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
      onTestFinished(() => void server.close())
      env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    },
    check({ read, stderr }) {
      expect(read('npm.args')).toContain('@opentelemetry/sdk-trace-node')
      expect(read('spans.otlp')).toMatch(/claude-batch document.*outage-2026-09\.md/s)
      return stderr
    },
  },
  'Write summaries in another language, and repeat those that look wrong': {
    files: docs,
    replies: {
      'sonnet.*Harbour committee.*German':
        'Der Hafenausschuss hat die Reparatur der Slipanlage beschlossen und die Gebühren für das nächste Jahr erhöht. Die Wetterstation steht seit September auf dem Nordpier, aber der Regenmesser zeigt immer noch null an, weil vermutlich eine Möwe den Trichter verstopft hat.',
      'haiku.*Harbour committee.*German':
        'The harbour committee decided to repair the slipway and raised the fees for the next year. The weather station has been on the north pier since September, but the rain gauge still shows zero, because a gull has probably blocked the funnel again, as it did last year.',
      German:
        'Der Server der Datenbank war im September mehrere Stunden lang nicht erreichbar, weil seine Platte voll war. Eine alte Kopie hatte noch einen Platz auf dem Server belegt und das Aufräumen verhindert. Danach wurde die Überwachung erweitert, damit so etwas früher auffällt.',
    },
    check({ stderr, read }) {
      expect(read('german/docs/meeting-notes.md.summary.md')).toMatch(/^Der Hafen/)
      return stderr
    },
  },
  'Try a new version of a prompt, use it, and go back': {
    files: docs,
    setUp: 'claude-batch summarize docs --quiet',
    replies: { 'in one sentence for readers in a hurry': 'One sentence.' },
    async check({ stdout, read, shell, list }) {
      expect(list('comparison')).toContain('comparison.html')
      expect(read('summaries/docs/meeting-notes.md.summary.md')).toBe('One sentence.\n')
      const back = 'claude-batch prompts pin summarize@v3; claude-batch summarize docs --redo settings'
      expect(await shell(back)).toMatchObject({ code: 0 })
      expect(read('summaries/docs/meeting-notes.md.summary.md')).toContain('Orrin')
      return stdout
    },
  },
  'Check a cheap model against a better one': {
    files: docs,
    replies: { 'haiku.*Summarize this': 'A text.' },
    check: ({ stdout }) => stdout,
  },
}

/** Returns the rows of a CSV text. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain)
    if (end !== ',') rows.push([])
  }
  return rows.slice(0, -1)
}
