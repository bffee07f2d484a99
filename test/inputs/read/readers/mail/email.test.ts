import { describe, expect, it } from 'vitest'
import { readAs, readFixture } from '../../../../support/read-as.ts'

const mail = (...lines: string[]) => readAs('x.eml', lines.join('\r\n'))
const head = ['From: Ann <ann@example.org>', 'Subject: Figures', 'MIME-Version: 1.0']
const multipart = (type: string, ...parts: string[]) =>
  mail(
    ...head,
    `Content-Type: multipart/${type}; boundary=b`,
    '',
    ...parts.flatMap((part) => ['--b', part]),
    '--b--',
    '',
  )
const plain = (text: string) => `Content-Type: text/plain; charset=utf-8\r\n\r\n${text}`
const html = (text: string) => `Content-Type: text/html; charset=utf-8\r\n\r\n${text}`
const attached = (type: string, name: string, text: string) =>
  `Content-Type: ${type}\r\nContent-Disposition: attachment; filename="${name}"\r\n\r\n${text}`

describe('the headers of a mail', () => {
  it('do not swallow the first paragraph of a text without headers', async () => {
    expect(await readFixture('eml-no-blank-headers.eml')).toBe(
      'Just a text that somebody called mail.eml, without any header.\n\nSecond paragraph of it.',
    )
    expect(await mail('Note: this is a text with a colon.', '', 'More.')).toBe(
      'Note: this is a text with a colon.\n\nMore.',
    )
  })

  it('end where a line is no header, also in a part', async () => {
    expect(await mail(...head, 'The price is 4711 euro.', '', 'Bye')).toBe(
      'Subject: Figures\nFrom: Ann <ann@example.org>\n\nThe price is 4711 euro.\n\nBye',
    )
    expect(await multipart('mixed', 'The price is', '4711 euro.')).toContain('\n\nThe price is\n\n4711 euro.')
  })

  it('may follow empty lines, a byte-order mark or an envelope line, and end with CR only', async () => {
    const text = 'Subject: Figures\nFrom: Ann <ann@example.org>\n\nHi'
    expect(await mail('', '', ...head, '', 'Hi')).toBe(text)
    expect(await mail(`\ufeff${head[0]}`, ...head.slice(1), '', 'Hi')).toBe(text)
    expect(await mail('From ann@example.org Mon Jan  1 10:00:00 2024', ...head, '', 'Hi')).toBe(text)
    expect(await readAs('x.eml', [...head, '', 'Hi'].join('\r'))).toBe(text)
  })

  it('are read in windows-1252 if they are not UTF-8, and groups of recipients are listed', async () => {
    const bytes = Buffer.from(
      'From: Jörg <j@example.org>\r\nTo: Team: a@b.c, d@e.f;\r\n\r\nGrüße \x93x\x94',
      'latin1',
    )
    expect(await readAs('x.eml', bytes)).toBe(
      'From: Jörg <j@example.org>\nTo: Team: a@b.c, d@e.f;\n\nGrüße “x”',
    )
  })
})

describe('the body of a mail', () => {
  it('is the HTML if the plain text is far shorter or only says that it is HTML', async () => {
    const stub = await readFixture('eml-stub-text.eml')
    expect(stub).toContain('HTML-BODY')
    expect(stub).not.toContain('This message is in HTML')
    const short = await multipart(
      'alternative',
      plain('Your mail program does not support HTML messages.'),
      html('<p>The meeting moved to 3 pm on Friday.'),
    )
    expect(short).toContain('moved to 3 pm')
    expect(short).not.toContain('does not support')
  })

  it('is the plain text if that says the same', async () => {
    const text = await multipart(
      'alternative',
      plain('Dear Bob,\r\nthe offer is ready: https://example.org/offer/with/a/long/address?and=more'),
      html('<p>Dear Bob,<p>the <a href="https://example.org/o">offer</a> is ready: here.'),
    )
    expect(text).toContain('Dear Bob,\nthe offer')
    expect(
      await multipart('alternative', plain('Hello there, see you soon'), html('<img src="cid:1">')),
    ).toContain('see you soon')
  })

  it('has each part of the same type if a program sends one version in several parts', async () => {
    expect(await multipart('alternative', plain('FIRST'), plain('SECOND'), html('FIRST<p>SECOND'))).toMatch(
      /FIRST\n\nSECOND$/,
    )
  })

  it('has each part of a mail whose parts are not alternatives', async () => {
    const text = await multipart('mixed', plain('FIRST'), html('<p>SECOND'), plain('THIRD'))
    expect(text).toMatch(/FIRST\s+SECOND\s+THIRD/)
  })

  it('is read from text/enriched, unknown text types and parts without a boundary', async () => {
    expect(
      await mail(...head, 'Content-Type: text/enriched', '', '<bold>Now</bold> is', 'the <<time>'),
    ).toContain('Now is the <time>')
    expect(await mail(...head, 'Content-Type: text/x-patch', '', '+ added')).toContain('+ added')
    expect(await mail(...head, 'Content-Type: multipart/mixed', '', '--x', 'All of it')).toContain(
      'All of it',
    )
  })

  it('keeps all bytes although only some, or none, are in the UTF-8 that the mail declares', async () => {
    const read = (charset: string, body: Buffer) =>
      readAs('x.eml', Buffer.concat([Buffer.from(`Content-Type: text/plain; charset=${charset}\n\n`), body]))
    const latin1 = Buffer.from('naïve café', 'latin1')
    expect(await read('utf-8', latin1)).toBe('naïve café')
    expect(await read('utf-8', Buffer.concat([Buffer.from('Größe – '), latin1]))).toBe('Größe – naïve café')
    const mostlyUtf8 = Buffer.concat([Buffer.from('Größe, Übung, Ärger, Maß: '), latin1])
    expect(await read('iso-8859-1', mostlyUtf8)).toBe('Größe, Übung, Ärger, Maß: naïve café')
  })

  it('may be in a message that was saved as UTF-16', async () => {
    const message = [...head, 'Content-Type: text/plain; charset=utf-8', '', 'Größe'].join('\r\n')
    const text = 'Subject: Figures\nFrom: Ann <ann@example.org>\n\nGröße'
    const littleEndian = Buffer.from(`\ufeff${message}`, 'utf16le')
    expect(await readAs('x.eml', littleEndian)).toBe(text)
    expect(await readAs('x.eml', littleEndian.swap16())).toBe(text)
  })

  it('is decoded as UTF-8 although the mail declares ASCII, and as windows-1252 if it declares nothing', async () => {
    expect(await mail(...head, 'Content-Type: text/plain; charset=us-ascii', '', 'Grüße – 5 €')).toContain(
      'Grüße – 5 €',
    )
    const latin = Buffer.from(`${head.join('\n')}\n\nCaf\xe9 \x80`, 'latin1')
    expect(await readAs('x.eml', latin)).toContain('Café €')
    const cyrillic = Buffer.concat([Buffer.from(`${head.join('\n')}\n\n`), Buffer.from([0xcf, 0xf0, 0xe8])])
    expect(await readAs('x.eml', cyrillic, 'windows-1251')).toContain('При')
  })

  it('has no PGP signature, uuencoded file or long block of base64', async () => {
    const signed = await mail(
      ...head,
      '',
      '-----BEGIN PGP SIGNED MESSAGE-----',
      'Hash: SHA256',
      '',
      'The text',
      '- - item',
      '-----BEGIN PGP SIGNATURE-----',
      '',
      'iQEzBAEB',
      '-----END PGP SIGNATURE-----',
    )
    expect(signed).toMatch(/The text\n- item$/)
    expect(await mail(...head, '', 'See', 'begin 644 a.txt', '#0V%T', '`', 'end', 'Bye')).toMatch(
      /See\n\[attachment: a.txt\]\nBye$/,
    )
    expect(await mail(...head, '', 'begin 644 words that are text', 'and more')).toContain(
      'begin 644 words that are text\nand more',
    )
    const block = Buffer.from(Array.from({ length: 3000 }, (_, n) => (n * n) % 251)).toString('base64')
    expect(await mail(...head, '', 'See', block.replace(/.{76}/g, '$&\r\n'), '', 'Bye')).toMatch(
      /See\n\[data\]\n\nBye$/,
    )
  })
})

describe('what is attached to a mail', () => {
  it('is read if it is a message, with its sender, date and subject', async () => {
    const forwarded = await readFixture('eml-forward-as-attachment.eml')
    expect(forwarded).toMatch(
      /See the attached message\.\n\n## Attached message: Offer\n\nSubject: Offer\nFrom: Carl <carl@example.org>\n[\s\S]*FORWARDED-BODY/,
    )
    const inner = [
      ...head,
      'Content-Type: text/plain',
      'Date: Mon, 4 Mar 2024 10:00:00 +0100',
      '',
      'DEEP',
    ].join('\r\n')
    const message = (content: string) => `Subject: Fwd\r\nContent-Type: message/rfc822\r\n\r\n${content}`
    expect(await mail(message(message(inner)))).toMatch(
      /## Attached message: Fwd\n[\s\S]*### Attached message: Figures\n[\s\S]*Date: 2024-03-04[\s\S]*DEEP/,
    )
    const base64 = Buffer.from(inner).toString('base64')
    expect(
      await multipart(
        'mixed',
        `Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64}`,
      ),
    ).toContain('DEEP')
    expect(await multipart('digest', `\r\n${inner}`, `\r\n${inner.replace('DEEP', 'NEXT')}`)).toMatch(
      /DEEP[\s\S]*NEXT/,
    )
    expect(
      await multipart('mixed', plain('x'), attached('application/octet-stream', 'a.eml', inner)),
    ).toContain('DEEP')
  })

  it('is read if it is text, up to a limit, and only named otherwise', async () => {
    const text = await multipart(
      'mixed',
      plain('See below.'),
      attached('text/plain', 'notes.txt', 'NOTES'),
      attached('text/csv', 'a.csv', 'x,y'),
      attached('text/markdown', 'a.md', '# MARKDOWN'),
      attached('text/html', 'a.html', '<p>HTML-PAGE'),
      attached('application/octet-stream', 'b.txt', 'z'.repeat(100_010)),
      attached('application/pdf', 'a.pdf', '%PDF-1.4'),
    )
    expect(text).toContain(
      'Attachments: notes.txt (text/plain), a.csv (text/csv), a.md (text/markdown), a.html (text/html), b.txt (application/octet-stream), a.pdf (application/pdf)',
    )
    expect(text).toContain(
      'See below.\n\n## Attachment: notes.txt\n\nNOTES\n\n## Attachment: a.csv\n\nx,y\n\n## Attachment: a.md\n\n# MARKDOWN\n\n## Attachment: a.html\n\nHTML-PAGE\n\n## Attachment: b.txt\n\nzzz',
    )
    expect(text).toMatch(/z\n… and 10 characters more$/)
  })

  it('is part of the body if it is an alternative or the whole mail, although it has a name', async () => {
    const text = await multipart(
      'alternative',
      plain('Use a program for HTML.'),
      `Content-Type: text/html; name=mail.html\r\n\r\n<p>WHAT-IT-SAYS at some length`,
    )
    expect(text).toMatch(/example\.org>\n\nWHAT-IT-SAYS at some length$/)
    expect(await mail(...head, 'Content-Type: text/plain; name=x.txt', '', 'Hi')).toMatch(
      /example\.org>\n\nHi$/,
    )
  })

  it('is decoded by its byte-order mark or its HTML declaration', async () => {
    const encoded = (name: string, content: Buffer) =>
      `Content-Type: application/octet-stream; name=${name}\r\nContent-Transfer-Encoding: base64\r\n\r\n${content.toString('base64')}`
    const text = await multipart(
      'mixed',
      encoded('a.txt', Buffer.from('\ufeffGrüße in UTF-16', 'utf16le')),
      `Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from('<meta charset=koi8-r><p>\xf0\xd2\xc9', 'latin1').toString('base64')}`,
    )
    expect(text).toContain('Grüße in UTF-16')
    expect(text).toContain('При')
  })

  it('is a failure if there is nothing else and it is not read', async () => {
    expect(await multipart('mixed', plain(''), attached('application/pdf', 'a.pdf', '%PDF-1.4'))).toBe(
      'no_text: the e-mail has no text, only attachments that claude-batch does not read: a.pdf (application/pdf)',
    )
  })

  it('is read if it is a report about a mail', async () => {
    const text = await multipart(
      'report',
      plain('Your message was not delivered.'),
      'Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; example.org\r\n\r\nStatus: 5.1.1 UNKNOWN',
      'Content-Type: text/rfc822-headers\r\n\r\nSubject: ORIGINAL',
    )
    expect(text).toMatch(/5\.1\.1 UNKNOWN[\s\S]*## Attached message: ORIGINAL/)
  })
})

describe('an encrypted or signed mail', () => {
  it('is a failure if it is encrypted', async () => {
    const encrypted = /^encrypted: /
    expect(await readFixture('eml-smime-encrypted.eml')).toMatch(encrypted)
    expect(
      await multipart(
        'encrypted; protocol="application/pgp-encrypted"',
        'Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1',
        'Content-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----',
      ),
    ).toMatch(encrypted)
    expect(
      await mail(...head, '', '-----BEGIN PGP MESSAGE-----', '', 'hQEMA', '-----END PGP MESSAGE-----'),
    ).toMatch(encrypted)
    expect(
      await mail(
        ...head,
        'Content-Type: application/octet-stream; name=smime.p7m',
        'Content-Transfer-Encoding: base64',
        '',
        'MIAGCSqGSIb3DQEHA6CAMIACAQAxggE=',
      ),
    ).toMatch(encrypted)
  })

  it('has a mark for encrypted content that follows other text', async () => {
    const text = await mail(
      ...head,
      '',
      'See:',
      '-----BEGIN PGP MESSAGE-----',
      'hQEMA',
      '-----END PGP MESSAGE-----',
    )
    expect(text).toMatch(/See:\n\[encrypted\]$/)
  })

  it.each(['eml-smime-signed.eml', 'eml-smime-signed-streamed.eml'])(
    '%s is read without checking its signature',
    async (name) => {
      expect(await readFixture(name)).toMatch(/\n\nSIGNED-BODY the price is 4711 euro – agreed\.$/)
    },
  )

  it('is read without naming a detached signature', async () => {
    const text = await multipart(
      'signed',
      plain('SIGNED'),
      attached('application/pkcs7-signature', 'smime.p7s', 'x'),
    )
    expect(text).toMatch(/^Subject: Figures\nFrom: [^\n]*\n\nSIGNED$/)
  })

  it('only names an S/MIME attachment that is cut off', async () => {
    expect(await mail(...head, 'Content-Type: application/pkcs7-mime; name=smime.p7m', '', '0\x82')).toMatch(
      /^no_text/,
    )
  })
})

describe('a calendar in a mail', () => {
  it('is read as an appointment', async () => {
    expect(await readFixture('eml-calendar-only.eml')).toContain(
      '## Appointment: CALENDAR-SUMMARY\n\nWhen: 2024-03-11 10:00 UTC\nWhere: Room 204',
    )
  })

  const calendar = [
    'BEGIN:VCALENDAR',
    'METHOD:CANCEL',
    'BEGIN:VTIMEZONE',
    'TZID:Europe/Berlin',
    'BEGIN:STANDARD',
    'DTSTART:19701025T030000',
    'END:STANDARD',
    'END:VTIMEZONE',
    'BEGIN:VEVENT',
    'SUMMARY;LANGUAGE=en:Board\\, spring',
    ' meeting',
    'DTSTART;TZID=Europe/Berlin:20240311T100000',
    'DTEND;TZID="Europe/Berlin":20240311T113000',
    'RRULE:FREQ=WEEKLY',
    'ORGANIZER;CN="Doe: Ann":mailto:ann@example.org',
    'ATTENDEE;PARTSTAT=ACCEPTED;CN=Bob:MAILTO:bob@example.org',
    'ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:carl@example.org',
    'DESCRIPTION:First line\\nSecond\\; line',
    'BEGIN:VALARM',
    'DESCRIPTION:REMINDER',
    'END:VALARM',
    'END:VEVENT',
    'BEGIN:VTODO',
    'SUMMARY:Prepare',
    'DUE;VALUE=DATE:20240310',
    'END:VTODO',
    'END:VCALENDAR',
  ].join('\r\n')

  it('has when, where, who and what, and is written once', async () => {
    const text = await multipart(
      'mixed',
      `Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n${plain('Hi')}\r\n--c\r\nContent-Type: text/calendar; method=CANCEL\r\n\r\n${calendar}\r\n--c--`,
      attached('application/ics', 'invite.ics', calendar),
    )
    expect(text).toMatch(
      /\n\nHi\n\n## Appointment: [\s\S]*## Appointment: Prepare\n\nDue: 2024-03-10\nStatus: cancelled$/,
    )
    expect(text).toContain(`## Appointment: Board, springmeeting

When: 2024-03-11 10:00 (Europe/Berlin) to 2024-03-11 11:30 (Europe/Berlin)
Repeats: FREQ=WEEKLY
Organizer: Doe: Ann <ann@example.org>
Attendees: Bob <bob@example.org> (accepted), carl@example.org
Status: cancelled

First line
Second; line

`)
    expect(text).not.toContain('REMINDER')
    expect(text.match(/Board/g)).toHaveLength(1)
  })
})
