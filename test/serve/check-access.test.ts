import { describe, expect, it } from 'vitest'
import { checkOrigin } from '../../src/serve/check-access.ts'

const options = {
  hosts: ['Notes.example', '[2001:db8::1]'],
  origins: ['https://app.example'],
  token: undefined,
}
const refused = (host: string | undefined, origin?: string, more = {}) =>
  checkOrigin({ host, origin, authorization: undefined }, { ...options, ...more })?.type

describe('a request', () => {
  it.each([
    'localhost',
    'LOCALHOST:8000',
    'localhost.',
    '127.0.0.1:80',
    '127.0.0.2:8000',
    '[::1]:8000',
    '[0:0:0:0:0:0:0:1]',
    'notes.example',
    'NOTES.example.:443',
    '[2001:DB8:0::1]:8000',
  ])('with the Host %s is allowed', (host) => {
    expect(refused(host)).toBeUndefined()
  })

  it.each([
    undefined,
    '',
    ':80',
    'evil.example',
    'a.localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    'notes.example.evil.example',
    'user@localhost',
    'localhost/',
    'localhost:80:80',
    'localhost:x',
    '[::1',
    'local host',
  ])('with the Host %s is refused', (host) => {
    expect(refused(host)).toBe('host_not_allowed')
    expect(refused(host, undefined, { token: 'a token' })).toBeUndefined()
  })
})

describe('a page', () => {
  it.each([
    ['notes.example', 'http://notes.example'],
    ['notes.example', 'https://notes.example'],
    ['notes.example:443', 'https://notes.example'],
    ['notes.example:80', 'http://notes.example'],
    ['notes.example', 'https://notes.example:443'],
    ['notes.example:', 'https://notes.example'],
    ['Notes.Example.:443', 'https://notes.example'],
    ['notes.example:8443', 'https://notes.example:8443'],
    ['[::1]:80', 'http://[::1]'],
    ['127.0.0.1:8000', 'http://127.0.0.1:8000'],
    ['localhost', 'https://app.example'],
    ['localhost', 'https://APP.example:443'],
  ])(
    'of the server itself or of an allowed origin may use the server: Host %s, Origin %s',
    (host, origin) => {
      expect(refused(host, origin)).toBeUndefined()
    },
  )

  it.each([
    ['notes.example', 'https://evil.example'],
    ['notes.example:443', 'http://notes.example'],
    ['notes.example:80', 'https://notes.example'],
    ['notes.example:8000', 'https://notes.example'],
    ['notes.example', 'https://notes.example:8443'],
    ['notes.example:99999', 'https://notes.example'],
    ['notes.example', 'https://a.notes.example'],
    ['notes.example', 'https://notes.example.evil.example'],
    ['localhost:8000', 'http://127.0.0.1:8000'],
    ['localhost', 'http://app.example'],
    ['localhost', 'null'],
    ['localhost', ''],
    ['localhost', 'file://'],
    ['localhost', 'ftp://localhost'],
  ])('of another origin may not use the server: Host %s, Origin %s', (host, origin) => {
    expect(refused(host, origin)).toBe('origin_not_allowed')
  })
})
