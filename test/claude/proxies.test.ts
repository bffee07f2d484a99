import { describe, expect, it } from 'vitest'
import { findProxy, readProxies } from '../../src/claude/proxies.ts'
import { UsageError } from '../../src/errors.ts'

describe('findProxy', () => {
  const env = { HTTP_PROXY: 'http://plain:1', HTTPS_PROXY: 'secure:2' }
  const proxyOf = (url: string, variables: Record<string, string>) => {
    const proxies = readProxies(variables)
    return proxies && findProxy(new URL(url), proxies)
  }

  it('returns the proxy for the scheme of the URL, or the HTTP proxy if no HTTPS proxy is set', () => {
    expect(proxyOf('http://a', env)).toBe('http://plain:1')
    expect(proxyOf('https://a', env)).toBe('http://secure:2')
    expect(proxyOf('https://a', { http_proxy: 'plain:1' })).toBe('http://plain:1')
    expect(proxyOf('http://a', { https_proxy: 'secure:2' })).toBeUndefined()
    expect(proxyOf('http://a', {})).toBeUndefined()
  })

  it.each([
    ['http://a.example', 'a.example', true],
    ['http://A.Example.:8080', 'x, a.EXAMPLE', true],
    ['http://b.a.example', 'a.example', true],
    ['http://b.a.example', '.a.example', true],
    ['http://b.a.example', '*.a.example', true],
    ['http://ba.example', 'a.example', false],
    ['http://a.example:8080', 'a.example:8080', true],
    ['http://a.example:8080', 'a.example:80', false],
    ['http://a.example', 'a.example:80', true],
    ['https://a.example', 'a.example:443', true],
    ['http://a.example', '*', true],
    ['http://[fd00::1]', 'fd00::1', true],
    ['http://[fd00::1]:80', '[fd00::1]:80', true],
    ['http://[fd00::1]', '[fd00::1]:81', false],
    ['http://[fd00::1]', '[FD00:0::1]', true],
    ['http://10.1.2.3', '10.0.0.0/8', true],
    ['http://10.1.2.3:81', 'x,10.0.0.0/8:81', true],
    ['http://10.1.2.3:81', '10.0.0.0/8:82', false],
    ['http://11.1.2.3', '10.0.0.0/8', false],
    ['http://11.1.2.3', '0.0.0.0/0', true],
    ['http://10.1.2.3', '10.0.0.0/33', false],
    ['http://10.1.2.3', '10.0.0.0/', false],
    ['http://10.example', '10.0.0.0/8', false],
    ['https://[fd12::1]', 'fd00::/8', true],
    ['https://[fd12::1]:8443', '[fd00::]/8:8443', true],
    ['https://[fd12::1]:8443', '[fd00::]/8:443', false],
    ['https://[fe12::1]', 'fd00::/8', false],
    ['http://[::ffff:10.1.2.3]', '10.0.0.0/8', true],
    ['http://bücher.example', 'bücher.example', true],
    ['http://a.example', 'a.example.', true],
    ['http://a.example', '  x   .a.example\ty', true],
    ['http://a.example', 'x, *', true],
    ['http://a.example:81', '*:81', true],
    ['http://a.example', '*:81', false],
    ['http://a.example', '*.', false],
    ['http://a.example', '', false],
    ['http://a.example', ' , ', false],
  ])('for %s with NO_PROXY=%j: bypasses the proxy: %s', (url, noProxy, isCovered) => {
    expect(proxyOf(url, { ...env, NO_PROXY: noProxy }) === undefined).toBe(isCovered)
  })

  it.each([
    'http://localhost:8080',
    'http://api.localhost',
    'https://LOCALHOST.',
    'http://127.0.0.1',
    'http://127.8.9.1:1',
    'http://0x7f.1',
    'https://[::1]:9',
    'http://[::ffff:127.0.0.1]',
  ])('returns no proxy for this machine: %s', (url) => {
    expect(proxyOf(url, env)).toBeUndefined()
  })

  it.each(['http://localhost.example', 'http://127.0.0.1.nip.io', 'http://10.0.0.1', 'http://[::2]'])(
    'returns the proxy for a host that only looks like this machine: %s',
    (url) => {
      expect(proxyOf(url, env)).toBe('http://plain:1')
    },
  )

  it('prefers variables in lower case to those in upper case', () => {
    const url = 'http://a.example'
    expect(proxyOf(url, { http_proxy: 'low:1', HTTP_PROXY: 'up:1' })).toBe('http://low:1')
    expect(proxyOf(url, { ...env, no_proxy: 'a.example', NO_PROXY: 'b.example' })).toBeUndefined()
    expect(proxyOf(url, { ...env, no_proxy: 'b.example', NO_PROXY: 'a.example' })).toBe('http://plain:1')
    expect(proxyOf(url, { ...env, no_proxy: '', NO_PROXY: 'a.example' })).toBeUndefined()
  })

  it('readProxies rejects an invalid proxy URL without printing its password', () => {
    const malformed = () => readProxies({ HTTPS_PROXY: 'socks5://user:hunter2@a' })
    expect(malformed).toThrow(UsageError)
    expect(malformed).toThrow(/^HTTPS_PROXY is not a URL that begins with http/)
  })
})
