import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findSecrets } from '../../../src/core/text/find-secrets.ts'
import { createRedactor } from '../../../src/core/text/redact.ts'

describe('createRedactor', () => {
  it('redacts the secrets and everything that looks like an API key', () => {
    const { redact } = createRedactor(['gateway/secret+1'])
    expect(redact('Bearer gateway/secret+1, sk-ant-api03-Zq9_x; fine')).toBe('Bearer [key], [key]; fine')
    expect(redact('host gateway%2Fsecret%2B1.example GATEWAY/SECRET+1')).toBe('host [key].example [key]')
    expect(redact('no key, risk-anthology, sk-ant-')).toBe('no key, risk-anthology, sk-ant-')
  })

  it('redacts secrets that are added later', () => {
    const { add, redact } = createRedactor()
    expect(redact('token-of-a-profile')).toBe('token-of-a-profile')
    add('token-of-a-profile')
    expect(redact('the token-of-a-profile.')).toBe('the [key].')
  })

  it('ignores secrets that are too short', () => {
    const { redact } = createRedactor(['', 'test'])
    expect(redact('a test of a key')).toBe('a test of a key')
  })

  const secret = fc.string({
    minLength: 6,
    maxLength: 60,
    unit: fc.constantFrom(...'abcXYZ019-_.+/=:$^*|[](){}\\"?'),
  })

  it('redacts a secret in any surrounding text', () => {
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (secret, before, after) => {
        const { redact } = createRedactor([secret])
        for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
          expect(redact(`${before}${form}${after}`)).not.toContain(form)
      }),
    )
  })

  it('redacts base64 that decodes to a secret', () => {
    fc.assert(
      fc.property(
        secret.filter((text) => text.length >= 8),
        fc.string({ maxLength: 9 }),
        fc.string({ maxLength: 9 }),
        fc.constantFrom('base64', 'base64url'),
        (secret, before, after, encoding) => {
          const encoded = Buffer.from(`${before}${secret}${after}`).toString(encoding)
          const shown = createRedactor([secret]).redact(encoded)
          expect(shown).toContain('[key]')
          expect(Buffer.from(shown.replaceAll('[key]', ''), 'base64').toString()).not.toContain(secret)
        },
      ),
    )
  })

  it('returns a text without secrets unchanged', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { redact } = createRedactor(['a-secret-that-is-not-there'])
        expect(redact(text)).toBe(text)
      }),
    )
  })
})

describe('findSecrets', () => {
  it('returns the keys, custom headers and URL passwords of an environment', () => {
    const env = {
      ANTHROPIC_API_KEY: ' key-1 ',
      ANTHROPIC_AUTH_TOKEN: 'token-2',
      ANTHROPIC_CUSTOM_HEADERS: 'X-Gateway: secret-3\nAuthorization: Basic c2VjcmV0\nmalformed',
      HTTPS_PROXY: 'user:pass%3A4@proxy:3128',
      http_proxy: 'http://proxy',
      ANTHROPIC_BASE_URL: 'https://u:pw5@gateway',
      HOME: '/home/user',
    }
    expect(findSecrets(env).filter((secret) => secret !== '')).toEqual([
      'key-1',
      'token-2',
      'secret-3',
      'c2VjcmV0',
      'pw5',
      'pw5',
      'u:pw5',
      'pass%3A4',
      'pass:4',
      'user:pass:4',
    ])
  })
})
