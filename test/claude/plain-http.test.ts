import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rejectPlainHttp } from '../../src/claude/plain-http.ts'
import { isPrivateHost } from '../../src/claude/private-host.ts'
import { extractHost } from '../../src/core/text/parse-host.ts'
import { UsageError } from '../../src/errors.ts'

const isAllowed = (url: string, allowHttp: string[] = [], proxies = {}) => {
  const options = {
    allowHttp,
    allowHttpSetting: '--allow-http',
    proxies: { httpProxy: '', httpsProxy: '', noProxy: '', ...proxies },
  }
  try {
    rejectPlainHttp(url, options)
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError)
    return false
  }
}

describe('rejectPlainHttp: an API key', () => {
  it.each([
    'http://localhost:8080',
    'http://LOCALHOST.',
    'http://gateway.localhost',
    'http://user:pass@localhost',
    'HTTP://127.0.0.1',
    'http:localhost',
    'http://127.0.0.1.',
    'http://127.1',
    'http://0x7f.1',
    'http://2130706433',
    'http://017700000001',
    'http://①②⑦.0.0.1',
    'http://ⓛocalhost',
    'http://loc\talhost',
    'http://[::1]',
    'http://[0:0:0:0:0:0:0:1]',
    'http://[::ffff:127.0.0.1]',
    'http://[::ffff:10.0.0.1]',
    'http://10.255.255.255',
    'http://172.16.0.1',
    'http://172.31.255.255',
    'http://192.168.1.1',
    'http://169.254.1.1',
    'http://[fe80::1]',
    'http://[fd12:3456::1]',
    'https://gateway.example',
    'https://203.0.113.5',
  ])('may be sent to %s', (url) => {
    expect(isAllowed(url)).toBe(true)
  })

  it.each([
    'http://gateway.example',
    'HTTP://GATEWAY.EXAMPLE',
    'http:gateway.example',
    'http:\\\\gateway.example',
    'http://localhost.evil.example',
    'http://127.0.0.1.nip.io',
    'http://10.evil.example',
    'http://192.168.1.1.evil.example',
    'http://evil.example\\@localhost',
    'http://localhost@evil.example',
    'http://localhost:80@evil.example',
    'http://localhost%2eevil.example',
    'http://localhost..',
    'http://xlocalhost',
    'http://localhost.com',
    'http://gateway',
    'http://gateway.internal',
    'http://gateway.local',
    'http://xn--ls8h.example',
    'http://0.0.0.0',
    'http://8.8.8.8',
    'http://134744072',
    'http://9.255.255.255',
    'http://11.0.0.0',
    'http://100.64.0.1',
    'http://126.255.255.255',
    'http://128.0.0.1',
    'http://169.253.1.1',
    'http://172.15.255.255',
    'http://172.32.0.0',
    'http://192.167.1.1',
    'http://[::]',
    'http://[2606:4700::1111]',
    'http://[fec0::1]',
    'http://[fbff::1]',
    'http://[fe00::1]',
    'http://[::ffff:8.8.8.8]',
    'http://[::10.0.0.1]',
    'http://[64:ff9b::10.0.0.1]',
    'http://[2002:a00:1::]',
  ])('is not sent to %s over plain HTTP, unless that host is allowed', (url) => {
    expect(isAllowed(url)).toBe(false)
    expect(isAllowed(url, ['other.example'])).toBe(false)
    expect(isAllowed(url, [new URL(url).hostname])).toBe(true)
    expect(isAllowed(url.replace(/^http:/i, 'https:'))).toBe(true)
  })

  it('may be sent to an allowed host in any spelling, but not to its subdomains', () => {
    expect(isAllowed('http://GATEWAY.internal.:8080/v1', ['gateway.internal'])).toBe(true)
    expect(isAllowed('http://gateway.internal', ['Gateway.Internal.'])).toBe(true)
    expect(isAllowed('http://[2001:db8::1]', ['2001:DB8:0::1'])).toBe(true)
    expect(isAllowed('http://a.gateway.internal', ['gateway.internal'])).toBe(false)
    expect(isAllowed('http://gateway.internal', ['internal', '*.internal', ''])).toBe(false)
  })

  it('may be sent to this machine even if a proxy is set, because localhost bypasses proxies', () => {
    const proxies = { httpProxy: 'http://proxy.example:3128', httpsProxy: '', noProxy: '' }
    for (const url of ['http://localhost:8080', 'http://127.0.0.1', 'http://[::1]'])
      expect(isAllowed(url, [], proxies)).toBe(true)
  })

  it('is sent through a plain HTTP proxy only if the proxy is private or allowed, too', () => {
    const proxies = { httpProxy: 'http://user:word@proxy.example:3128' }
    expect(isAllowed('http://10.0.0.1', [], proxies)).toBe(false)
    expect(isAllowed('http://10.0.0.1', ['proxy.example'], proxies)).toBe(true)
    expect(isAllowed('http://10.0.0.1', [], { ...proxies, noProxy: '10.0.0.1' })).toBe(true)
    expect(isAllowed('http://10.0.0.1', [], { httpProxy: 'https://proxy.example' })).toBe(false)
    expect(isAllowed('http://10.0.0.1', [], { httpProxy: 'http://10.0.0.1:3128' })).toBe(true)
    expect(isAllowed('http://10.0.0.1', [], { httpsProxy: 'http://proxy.example' })).toBe(true)
    expect(isAllowed('https://gateway.example', [], proxies)).toBe(true)
  })

  it('is rejected with a message that does not contain the passwords in URLs', () => {
    const proxies = { httpProxy: 'http://user:hunter2@proxy.example', httpsProxy: '', noProxy: '' }
    for (const url of ['http://user:hunter2@gateway.example', 'http://user:hunter2@10.0.0.1'])
      expect(() =>
        rejectPlainHttp(url, { allowHttp: [], allowHttpSetting: '--allow-http', proxies }),
      ).toThrow(/^(?!.*hunter2).*--allow-http/)
  })
})

describe('the error message of rejectPlainHttp', () => {
  it.each([
    ['http://gateway.internal.:8080', 'gateway.internal'],
    ['http://[2001:db8::1]:8080', '2001:db8::1'],
  ])('for %s ends with the flag to pass', (url, host) => {
    const refused = () =>
      rejectPlainHttp(url, { allowHttp: [], allowHttpSetting: '--allow-http', proxies: undefined })
    expect(refused).toThrow(new RegExp(` --allow-http ${host}$`))
    expect(isAllowed(url, [host])).toBe(true)
  })
})

describe('isPrivateHost', () => {
  const ipv4 = fc.nat(2 ** 32 - 1)
  const dotted = (n: number) => [24, 16, 8, 0].map((shift) => (n >>> shift) & 255).join('.')
  const spellings = [
    dotted,
    String,
    (n: number) => `0x${n.toString(16)}`,
    (n: number) => `0${n.toString(8)}`,
    (n: number) => `${n >>> 24}.${n & 0xffffff}`,
    (n: number) => `${dotted(n)}.`,
    (n: number) => `[::ffff:${dotted(n)}]`,
    (n: number) => `[0:0:0:0:0:FFFF:${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}]`,
  ]
  /** Private IPv4 networks: address and prefix length. */
  const networks = [
    [0x7f000000, 8],
    [0x0a000000, 8],
    [0xac100000, 12],
    [0xc0a80000, 16],
    [0xa9fe0000, 16],
  ] as const
  const inNetwork = fc
    .tuple(fc.constantFrom(...networks), ipv4)
    .map(([[network, prefix], n]) => (network | (n & (2 ** (32 - prefix) - 1))) >>> 0)

  it('returns true for exactly the private addresses, in every spelling that a URL allows', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, inNetwork), fc.constantFrom(...spellings), (n, spell) => {
        const isPrivate = networks.some(
          ([network, prefix]) => n >>> (32 - prefix) === network >>> (32 - prefix),
        )
        expect(isPrivateHost(extractHost(new URL(`http://${spell(n)}/`)))).toBe(isPrivate)
      }),
    )
  })

  it('returns false for a domain name that contains a private address', () => {
    fc.assert(
      fc.property(inNetwork, fc.domain(), (n, domain) => {
        expect(isPrivateHost(`${dotted(n)}.${domain}`)).toBe(false)
        expect(isPrivateHost(`localhost.${domain}`)).toBe(false)
        expect(isPrivateHost(domain)).toBe(false)
      }),
    )
  })
})
