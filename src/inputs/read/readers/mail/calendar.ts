/** An event or task of a calendar. */
export interface Appointment {
  readonly summary: string
  /** When, where, who, and the description. */
  readonly details: string
}

/** Returns the events and tasks of a calendar (iCalendar, RFC 5545) in their order. */
export function readAppointments(calendar: string): readonly Appointment[] {
  const lines = calendar
    .replace(/\r\n?/g, '\n')
    .replace(/\n[ \t]/g, '')
    .split('\n')
  const appointments: Appointment[] = []
  const open: string[] = []
  let method = ''
  let properties: Property[] = []
  for (const line of lines) {
    const property = parseProperty(line)
    if (property === undefined) continue
    const component = property.value.trim().toUpperCase()
    if (property.name === 'METHOD') method = component
    if (property.name === 'BEGIN') {
      if (appointmentTypes.has(component)) properties = []
      open.push(component)
    } else if (property.name === 'END') {
      open.pop()
      if (appointmentTypes.has(component)) appointments.push(formatAppointment(properties, method))
      // Alarms are inside events, and have a description too.
    } else if (appointmentTypes.has(open.at(-1) ?? '')) properties.push(property)
  }
  return appointments
}

const appointmentTypes: ReadonlySet<string> = new Set(['VEVENT', 'VTODO', 'VJOURNAL'])

interface Property {
  readonly name: string
  readonly parameters: Readonly<Record<string, string>>
  readonly value: string
}

/** Parses `NAME;PARAMETER="value":value`. */
function parseProperty(line: string): Property | undefined {
  const [head, value] = splitOutsideQuotes(line, ':', 1)
  if (head === undefined || value === undefined) return undefined
  const [name = '', ...parameters] = splitOutsideQuotes(head, ';', maxParameters)
  return {
    name: name.trim().toUpperCase(),
    value,
    parameters: Object.fromEntries(
      parameters.map((parameter) => {
        const [key = '', text = ''] = splitOutsideQuotes(parameter, '=', 1)
        return [key.toUpperCase(), text.replaceAll('"', '').trim()]
      }),
    ),
  }
}

const maxParameters = 50

/** Splits a text at a separator that is not in quotes. @param maxSplits maximum number of splits */
function splitOutsideQuotes(text: string, separator: string, maxSplits: number): readonly string[] {
  const parts: string[] = []
  let [start, isQuoted] = [0, false]
  for (let at = 0; at < text.length && parts.length < maxSplits; at++) {
    if (text[at] === '"') isQuoted = !isQuoted
    if (isQuoted || text[at] !== separator) continue
    parts.push(text.slice(start, at))
    start = at + 1
  }
  return [...parts, text.slice(start)]
}

function formatAppointment(properties: readonly Property[], method: string): Appointment {
  const find = (name: string) => properties.find((property) => property.name === name)
  const readValue = (name: string) => unescapeText(find(name)?.value ?? '')
  const attendees = properties.filter(({ name }) => name === 'ATTENDEE')
  const [start, end] = [find('DTSTART'), find('DTEND')].map(formatTime)
  const more = attendees.length > maxAttendees ? [`and ${attendees.length - maxAttendees} more`] : []
  const isCancelled = method === 'CANCEL' || readValue('STATUS').toUpperCase() === 'CANCELLED'
  const lines = [
    ['When', [start, end].filter(Boolean).join(' to ')],
    ['Duration', readValue('DURATION')],
    ['Due', formatTime(find('DUE'))],
    ['Repeats', readValue('RRULE')],
    ['Where', readValue('LOCATION')],
    ['Organizer', formatPerson(find('ORGANIZER'))],
    ['Attendees', [...attendees.slice(0, maxAttendees).map(formatPerson), ...more].join(', ')],
    ['Status', isCancelled ? 'cancelled' : readValue('STATUS').toLowerCase()],
    ['Comment', readValue('COMMENT')],
    ['Link', readValue('URL')],
  ].flatMap(([label, value]) => (value === '' ? [] : [`${label}: ${value}`]))
  const details = [lines.join('\n'), readValue('DESCRIPTION')].filter(Boolean).join('\n\n')
  return { summary: readValue('SUMMARY'), details }
}

const maxAttendees = 100

/** Returns `2024-03-11 10:00 (Europe/Berlin)`. */
function formatTime(property: Property | undefined): string {
  if (property === undefined) return ''
  const { value, parameters } = property
  const [, year, month, day, hour, minute, utc] =
    /^\s*(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(?:\d{2})?(Z?))?\s*$/.exec(value) ?? []
  if (year === undefined) return value.trim()
  const date = `${year}-${month}-${day}`
  if (hour === undefined) return date
  const zone = utc === 'Z' ? ' UTC' : parameters['TZID'] === undefined ? '' : ` (${parameters['TZID']})`
  return `${date} ${hour}:${minute}${zone}`
}

/** Returns `Ann <ann@example.org> (accepted)`. */
function formatPerson(property: Property | undefined): string {
  if (property === undefined) return ''
  const { CN: name = '', PARTSTAT: reply = '' } = property.parameters
  const address = property.value.trim().replace(/^mailto:/i, '')
  const person = name === '' || name === address ? address : `${name} <${address}>`
  return reply === '' || /^needs-action$/i.test(reply) ? person : `${person} (${reply.toLowerCase()})`
}

function unescapeText(value: string): string {
  return value.replace(/\\([nN,;\\])/g, (_, escaped: string) => (/n/i.test(escaped) ? '\n' : escaped)).trim()
}
