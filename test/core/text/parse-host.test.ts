import { describe, expect, it } from 'vitest'
import { extractHost, parseHost } from '../../../src/core/text/parse-host.ts'

describe('parseHost', () => {
  it.each([
    ['Gateway.Internal', 'gateway.internal'],
    [' gateway.internal. ', 'gateway.internal'],
    ['münchen.example', 'xn--mnchen-3ya.example'],
    ['0x7f.1', '127.0.0.1'],
    ['2001:DB8::0:1', '[2001:db8::1]'],
    ['[2001:db8::1]', '[2001:db8::1]'],
  ])('parses %j as %s', (text, host) => {
    expect(parseHost(text)).toBe(host)
  })

  it.each([
    '',
    ' ',
    'http://a',
    'a:80',
    'a/b',
    'a?b',
    'a#b',
    'a\\b',
    'user@a',
    '*.a',
    'a b',
    '[::1]:80',
    '[::1',
    '1.2.3.4.5',
    '::1%eth0',
  ])('returns undefined for %j', (text) => {
    expect(parseHost(text)).toBeUndefined()
  })

  it('extractHost removes one final dot from the host of a URL', () => {
    expect(extractHost(new URL('http://LOCALHOST.:80/'))).toBe('localhost')
    expect(extractHost(new URL('http://localhost../'))).toBe('localhost.')
  })
})
