// Everything that comes from documents is inserted as text: this script creates no markup from strings.
const [search, status, table, shown, back, on] = ['search', 'status', 'table', 'shown', 'back', 'on'].map(
  (id) => document.getElementById(id),
)
const rows = JSON.parse(document.getElementById('data').textContent)
const { documents: documentBase, outputs: outputBase } = table.dataset
const names = new Intl.Collator('en', { numeric: true })
const perPage = 50
// The style hides columns below this width.
const narrow = matchMedia('(max-width: 640px)')
const mostPrinted = 1000

let sorting = { key: 'path', down: false }
let found = []
let first = 0
const open = new Set()

// The order of the numbers in a row, see `document-data.ts`.
const numberFields = [
  'input_tokens',
  'output_tokens',
  'cost_usd',
  'replies_with_unknown_cost',
  'attempts',
  'wait_ms',
  'retry_ms',
  'latency_ms',
]
const usualSuffixes = { summarized: '.summary.md', failed: '.error.txt' }

/** Adds the fields to rows that are left out, because they follow from others or from the row before. */
function decodeRows() {
  let shared = {}
  let lastError
  for (const row of rows) {
    const { status, simulated, ended_at, prompt, model } = { ...shared, ...row }
    shared = { status, simulated, ended_at, prompt, model }
    Object.assign(row, shared)
    numberFields.forEach((name, n) => {
      row[name] = row.n[n]
    })
    if (row.error === true) row.error = lastError
    row.error ??= null
    lastError = row.error ?? lastError
    if (!('output_path' in row))
      row.output_path = status in usualSuffixes ? row.path + usualSuffixes[status] : null
    if (documentBase && !('link' in row)) row.link = toLink(documentBase, row.path)
    if (outputBase && row.output_path && !('output_link' in row))
      row.output_link = toLink(outputBase, row.output_path)
  }
}

/** Percent-encodes a path, so that it is neither a scheme nor a query. The base begins with `./` or `../`. */
const toLink = (base, path) => base + path.split('/').map(encodeURIComponent).join('/')

decodeRows()
for (const row of rows) row.sought = [row.path, row.error, row.output_text].join('\n').toLowerCase()

// Text in quotes is one word.
const words = () =>
  [...search.value.toLowerCase().matchAll(/"([^"]+)"|[^\s"]+/g)].map(([word, quoted]) => quoted ?? word)

function find() {
  const all = words()
  const wanted = status?.value ?? 'all'
  const fits = (row) =>
    (wanted === 'all' || row.status === wanted) && all.every((word) => row.sought.includes(word))
  found = rows.filter(fits)
  sort()
}

function sort() {
  const { key, down } = sorting
  const sign = down ? -1 : 1
  // Unknown values come last in both directions.
  found.sort((a, b) => {
    const [x, y] = [a[key], b[key]]
    if (x === null || y === null) return (x === null) - (y === null)
    return sign * (typeof x === 'string' ? names.compare(x, y) : x - y)
  })
  for (const th of table.querySelectorAll('th[data-key]'))
    if (th.dataset.key === key) th.setAttribute('aria-sort', down ? 'descending' : 'ascending')
    else th.removeAttribute('aria-sort')
  show(0)
}

function show(from, count = perPage) {
  first = from
  const until = Math.min(found.length, first + count)
  // The head is not replaced, because its buttons would lose the focus.
  for (const group of [...table.tBodies]) group.remove()
  table.append(...found.slice(first, until).map(renderRow))
  const of = found.length === rows.length ? '' : ` found, of ${rows.length.toLocaleString('en-US')}`
  const [low, high, all] = [first + 1, until, found.length].map((number) => number.toLocaleString('en-US'))
  shown.textContent = found.length === 0 ? 'No document matches' : `${low}–${high} of ${all}${of}`
  const focused = document.activeElement
  back.disabled = first === 0
  on.disabled = until === found.length
  // A disabled button loses the focus, so the other button gets it.
  if (focused === on && on.disabled) back.focus()
  if (focused === back && back.disabled) on.focus()
  back.parentElement.hidden = found.length <= perPage
}

const element = (name, className, ...children) => {
  const made = document.createElement(name)
  if (className) made.className = className
  made.append(...children)
  return made
}

function renderRow(row) {
  const name = element('button', 'name', markMatches(row.path))
  name.type = 'button'
  name.dir = 'auto'
  const head = element('th', 'path', name)
  head.scope = 'row'
  const excerpt = element(
    'div',
    row.error === null ? 'excerpt note' : 'excerpt note failed',
    markMatches(findExcerpt(row)),
  )
  excerpt.dir = 'auto'
  head.append(element('div', 'below', excerpt, ...renderLinks(row)))
  const group = element('tbody', '', element('tr', '', head, ...renderCells(row)))
  const toggle = () => {
    if (open.has(row)) group.append(renderDetails(row))
    else group.rows[1]?.remove()
    name.setAttribute('aria-expanded', open.has(row))
    excerpt.hidden = open.has(row)
  }
  name.addEventListener('click', () => {
    if (!open.delete(row)) open.add(row)
    toggle()
  })
  toggle()
  return group
}

/** Returns links to the document and to its summary or error record, where the page knows their place. */
function renderLinks({ path, status, link, output_link: outputLink }) {
  const result = status === 'failed' ? 'error record' : 'summary'
  return [
    [link, 'document'],
    [outputLink, result],
  ]
    .filter(([href]) => href)
    .map(([href, name]) => {
      const made = element('a', 'open-file note', name)
      made.href = href
      made.title = `Open the ${name} of ${path}`
      return made
    })
}

const renderCells = (row) => [
  element('td', row.status === 'failed' ? 'status failed' : 'status', row.status),
  element('td', 'input_tokens', counted(row.input_tokens)),
  element('td', 'output_tokens', counted(row.output_tokens)),
  element('td', 'latency_ms', time(row.latency_ms)),
  element('td', 'cost_usd', renderCost(row)),
]

function renderCost(row) {
  const cost = document.createDocumentFragment()
  cost.append(`${dollars(row.cost_usd)}${isPartly(row) ? ' and an unknown part' : ''}`)
  if (row.simulated && row.cost_usd > 0) cost.append(element('small', '', '(simulated)'))
  return cost
}

/** Whether only a part of the cost of a row is known. */
const isPartly = (row) => row.replies_with_unknown_cost > 0 && row.cost_usd !== null

function renderDetails(row) {
  const none = row.status === 'pending' ? 'The document is pending.' : 'The text is not in this file.'
  const text = element('div', 'text', renderText(row, none))
  text.dir = 'auto'
  const facts = [
    ['finished', localTime(row.ended_at)],
    ['with', `${row.prompt}, ${row.model}`],
    ['tokens', `${counted(row.input_tokens)} in, ${counted(row.output_tokens)} out`],
    ['requests', counted(row.attempts)],
    ['latency', time(row.latency_ms)],
    ['waited', time(row.wait_ms)],
    ['in retries', time(row.retry_ms)],
    ['flagged', row.quality_issues?.map(describeIssue).join(', ') ?? null],
    ['file', row.output_path],
  ].filter(([, value]) => value !== null && value !== unknown)
  const list = element(
    'dl',
    'facts',
    ...facts.map(([name, value]) =>
      element('div', '', element('dt', '', name), element('dd', '', element('bdi', '', value))),
    ),
  )
  const cell = element('td', '', text, list)
  cell.colSpan = narrow.matches ? 2 : table.tHead.rows[0].cells.length
  return element('tr', 'open', cell)
}

/**
 * Returns the text of a row. The mark of a footnote becomes a button that shows the passage next to the statement. A row
 * has passages only with a whole text that ends with its footnotes; see `document-data.ts`.
 */
function renderText(row, none) {
  const { output_text: text, error, passages, mark = '' } = row
  if (!text || !passages) return markMatches(text ?? error ?? none)
  const body = text.slice(0, text.lastIndexOf(`\n[${mark}1] `))
  const made = document.createDocumentFragment()
  // A full stop belongs to the statement, in front of the passage.
  const parts = body.split(new RegExp(`(\\[${mark}\\d+\\][.。]?)`))
  for (const [n, part] of parts.entries()) {
    const passage = n % 2 === 1 && passages[Number.parseInt(part.slice(1 + mark.length), 10) - 1]
    made.append(passage ? renderMark(part, passage, row) : markMatches(part))
  }
  made.append(markMatches(text.slice(body.length)))
  return made
}

function renderMark(part, [place, quote], row) {
  const mark = part.slice(0, part.indexOf(']') + 1)
  const button = element('button', 'cite', mark)
  button.type = 'button'
  button.title = place
  const passage = element('q', 'passage', quote)
  const cite = renderPlace(place, quote, row)
  if (cite !== '') passage.prepend(element('cite', '', cite))
  passage.dir = 'auto'
  const toggle = (isHidden) => {
    passage.hidden = isHidden
    button.setAttribute('aria-expanded', !isHidden)
  }
  toggle(true)
  button.addEventListener('click', () => toggle(!passage.hidden))
  return element('span', '', button, part.slice(mark.length), passage)
}

/** Returns a place as a link, if browsers can open the document there. */
function renderPlace(place, quote, { path, link }) {
  const fragment = link && findFragment(place, quote, path.toLowerCase())
  if (!fragment) return place
  const made = element('a', '', place || 'in the document')
  made.href = `${link}#${fragment}`
  return made
}

/**
 * Returns the part of a URL that leads to a passage: the page of a PDF, the words of a text, also below a heading of
 * Markdown, as forges name it.
 * @see https://wicg.github.io/scroll-to-text-fragment/
 */
function findFragment(place, quote, path) {
  if (path.endsWith('.pdf')) return /^page \d+/.exec(place)?.[0].replace(' ', '=')
  if (path.endsWith('.txt')) return toTextFragment(quote)
  if (/\.(?:html?|xhtml)$/.test(path)) return toTextFragment(quote, markdownMarks)
  if (!/\.(?:md|markdown)$/.test(path)) return ''
  const [, heading = ''] = /^section (.*), line \d+$/.exec(place) ?? []
  return encodeURIComponent(toSlug(heading)) + toTextFragment(quote, markdownMarks)
}

/** Returns the name of a heading in a URL. */
function toSlug(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\s-]/gu, '')
    .trim()
    .replace(/\s/g, '-')
}

/**
 * Returns a text fragment for a quote: its words, or the first and the last ones of many.
 * @param marks of words that the page may show in another way: then it is the longest run of other words
 */
function toTextFragment(quote, marks) {
  const words = quote.split(' ')
  const isCut = quote.endsWith('…')
  if (isCut) words.pop()
  const runs = [[]]
  for (const word of words) {
    if (marks?.test(word)) runs.push([])
    else runs.at(-1).push(word)
  }
  const [longest] = runs.sort((a, b) => b.length - a.length)
  const encode = (some) => encodeURIComponent(some.join(' ')).replaceAll('-', '%2D')
  if (longest.length === 0) return ''
  if (longest.length < words.length || words.length <= 10) return `:~:text=${encode(longest.slice(0, 10))}`
  return `:~:text=${encode(words.slice(0, 5))}${isCut ? '' : `,${encode(words.slice(-5))}`}`
}

/** Marks of Markdown, also in the text that is read from a web page. */
const markdownMarks = /[#*_`|<>[\]\\~]|^[-+]$|^\d+[.)]$/

/** Returns an excerpt that begins shortly before the first match. */
function findExcerpt({ output_text: text, error }) {
  const all = error ?? text ?? ''
  const at = Math.max(0, ...words().map((word) => all.toLowerCase().indexOf(word)))
  const line = all.slice(at < 60 ? 0 : at - 30, at + 300).replace(/\s+/g, ' ')
  return at < 60 ? line : `… ${line}`
}

/** Returns a text with the search words marked. */
function markMatches(text) {
  const made = document.createDocumentFragment()
  const sought = words().map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const parts = sought.length === 0 ? [text] : text.split(new RegExp(`(${sought.join('|')})`, 'gi'))
  made.append(...parts.map((part, n) => (n % 2 === 0 ? part : element('mark', '', part))))
  return made
}

const issueLabels = {
  copy: 'near-copy',
  language: 'in the wrong language',
  length: 'of the wrong length',
  uncited: 'with a statement that no passage supports',
}
const describeIssue = (issue) => issueLabels[issue] ?? issue

const unknown = '–'
const counted = (number) => (number === null ? unknown : number.toLocaleString('en-US'))

function time(ms) {
  if (ms === null) return unknown
  const [size, unit] = [
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ].find(([size]) => ms >= size) ?? [1, 'ms']
  return `${Number((ms / size).toFixed(1))} ${unit}`
}

function dollars(usd) {
  if (usd === null) return unknown
  if (usd >= 1) return `$${usd.toFixed(2)}`
  return `$${usd.toLocaleString('en-US', { maximumSignificantDigits: 4, minimumFractionDigits: usd === 0 ? 0 : 2 })}`
}

for (const th of table.querySelectorAll('th[data-key]'))
  th.firstChild.addEventListener('click', () => {
    const { key } = th.dataset
    // Numbers are sorted in descending order first.
    sorting = { key, down: key === sorting.key ? !sorting.down : !['path', 'status'].includes(key) }
    sort()
  })
for (const control of [search, status]) control?.addEventListener('input', find)
const turn = (by) => {
  show(first + by * perPage)
  document.getElementById('documents').scrollIntoView()
}
back.addEventListener('click', () => turn(-1))
on.addEventListener('click', () => turn(1))
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return
  if (event.target.matches('input, select')) return
  event.preventDefault()
  search.focus()
})
for (const link of document.querySelectorAll('a.find'))
  link.addEventListener('click', () => {
    search.value = `"${link.dataset.sought}"`
    find()
    search.focus({ preventScroll: true })
  })
narrow.addEventListener('change', () => show(first))
addEventListener('beforeprint', () => show(first, mostPrinted))
addEventListener('afterprint', () => show(first))

for (const hidden of ['tools', 'table', 'pages']) document.getElementById(hidden).hidden = false
find()
