import { describe, expect, it } from 'vitest'
import { readAs } from '../../../../support/read-as.ts'

const envelope = 'From ann@example.org Mon Jan  1 10:00:00 2024'
const message = (subject: string, body: string) =>
  `${envelope}\nSubject: ${subject}\nFrom: Ann <a@b.c>\n\n${body}\n`

describe('a mailbox', () => {
  it.each([['\n'], ['\r\n']])(
    'becomes a section for each message, in their order, with line ends %j',
    async (lineEnd) => {
      const box = `${message('One', 'FIRST')}\n${message('Two', 'SECOND')}`.replaceAll('\n', lineEnd)
      expect(await readAs('x.mbox', box)).toBe(
        '## Message 1: One\n\nSubject: One\nFrom: Ann <a@b.c>\n\nFIRST\n\n## Message 2: Two\n\nSubject: Two\nFrom: Ann <a@b.c>\n\nSECOND',
      )
    },
  )

  it('has lines that begin with From, quoted or not', async () => {
    const box =
      message(
        'One',
        '>From here\n>>From there\n\nFrom Russia with love\n\nFrom 10:30 on 12 March 2024 we met',
      ) + message('Two', 'x')
    const text = await readAs('x.mbox', box)
    expect(text).toContain(
      'From here\n>From there\n\nFrom Russia with love\n\nFrom 10:30 on 12 March 2024 we met',
    )
    expect(text.match(/^## Message/gm)).toHaveLength(2)
  })

  it('may have the envelope lines of Thunderbird, and no empty lines between messages', async () => {
    const box = `${message('One', 'x')}${message('Two', 'y')}`.replaceAll(envelope, 'From - ')
    expect(await readAs('x.mbox', `\ufeff${box}`)).toContain('## Message 2: Two')
  })

  it('of one message is read like a mail, and a mail of several messages like a mailbox', async () => {
    expect(await readAs('x.mbox', message('One', 'x'))).toBe('Subject: One\nFrom: Ann <a@b.c>\n\nx')
    expect(await readAs('x.mbox', 'Subject: One\n\nx')).toBe('Subject: One\n\nx')
    expect(await readAs('x.eml', message('One', 'x') + message('Two', 'y'))).toContain('## Message 2: Two')
  })

  it('names messages that it cannot read, and fails if there are no others', async () => {
    const encrypted = message('Secret', '-----BEGIN PGP MESSAGE-----\nhQE\n-----END PGP MESSAGE-----')
    expect(await readAs('x.mbox', encrypted + message('Two', 'y'))).toMatch(
      /## Message 1: Secret\n\nSubject: Secret\nFrom: Ann <a@b.c>\n\n\[not read: the e-mail is encrypted[\s\S]*## Message 2/,
    )
    expect(await readAs('x.mbox', encrypted + encrypted)).toMatch(/^encrypted: /)
  })

  it('puts what is attached to a message below its heading', async () => {
    const inner = 'Subject: Inner\nContent-Type: text/plain\n\nDEEP'
    const box =
      message('One', 'x') +
      message('Two', inner).replace('From: Ann', 'Content-Type: message/rfc822\nFrom: Ann')
    expect(await readAs('x.mbox', box)).toContain('### Attached message: Inner')
  })

  it('fails beyond a number of messages', async () => {
    expect(await readAs('x.mbox', message('One', 'x').repeat(20_001))).toBe(
      'too_large: it holds more than 20000 messages; split it',
    )
  })
})
