import { describe, expect, it } from 'vitest'
import { proxiesIn, proxyFor } from '../../src/claude/proxies.ts'
import { UsageError } from '../../src/errors.ts'

describe('the proxy of a URL', () => {
  const env = { HTTP_PROXY: 'http://plain:1', HTTPS_PROXY: 'secure:2' }
  const proxyOf = (url: string, variables: Record<string, string>) => {
    const proxies = proxiesIn(variables)
    return proxies && proxyFor(new URL(url), proxies)
  }

  it('is the one of its scheme, or the one for http where there is no other', () => {
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
    ['http://[::1]', '::1', true],
    ['http://[::1]:80', '[::1]:80', true],
    ['http://[::1]', '[::1]:81', false],
    ['http://a.example', '', false],
    ['http://a.example', ' , ', false],
  ])('%s with NO_PROXY=%j is none: %s', (url, noProxy, isCovered) => {
    expect(proxyOf(url, { ...env, NO_PROXY: noProxy }) === undefined).toBe(isCovered)
  })

  it('must be a URL, which is not repeated since it may hold a password', () => {
    const malformed = () => proxiesIn({ HTTPS_PROXY: 'socks5://user:hunter2@a' })
    expect(malformed).toThrow(UsageError)
    expect(malformed).toThrow(/^HTTPS_PROXY is not a URL that begins with http/)
  })
})
