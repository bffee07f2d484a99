import { describe, expect, it } from 'vitest'
import { type BodySource, readJsonBody } from '../../src/serve/request-body.ts'

const bodyOf = (bytes: string | Buffer, source: Partial<BodySource> = {}) =>
  readJsonBody({
    contentType: 'application/json',
    contentEncoding: undefined,
    contentLength: undefined,
    body: ReadableStream.from([Buffer.from(bytes)]),
    ...source,
  })

describe('the body of a request', () => {
  it.each([
    'application/json',
    'Application/JSON ; charset=UTF-8',
    'application/json;charset="utf-8"',
    'application/json; charset=utf8; profile=x',
    'application/json; profile=x',
  ])('is accepted as %s', async (contentType) => {
    expect(await bodyOf('{"text":"Ünï 日本 🙂"}', { contentType })).toBe('{"text":"Ünï 日本 🙂"}')
  })

  it.each([
    undefined,
    '',
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'application/json-patch+json',
    'application/vnd.api+json',
    'text/plain; application/json',
    'application/json, text/plain',
  ])('is refused as %s', async (contentType) => {
    expect(await bodyOf('{}', { contentType })).toMatchObject({ status: 415, type: 'unsupported_media_type' })
  })

  it.each(['utf-16', 'UTF-16LE', 'iso-8859-1', '', 'utf-8-sig', "'utf-8'", 'utf-8; charset=utf-16'])(
    'is refused in the charset %s',
    async (charset) => {
      const contentType = `application/json; charset=${charset}`
      expect(await bodyOf('{}', { contentType })).toMatchObject({ status: 415, type: 'not_utf8' })
    },
  )

  it.each(['gzip', 'br', 'identity, gzip'])(
    'is refused with the content encoding %s',
    async (contentEncoding) => {
      expect(await bodyOf('{}', { contentEncoding })).toMatchObject({
        status: 415,
        type: 'unsupported_encoding',
      })
      expect(await bodyOf('{}', { contentEncoding: 'Identity' })).toBe('{}')
    },
  )

  it.each([
    ['Latin-1', Buffer.from('{"text":"caf\xe9"}', 'latin1')],
    ['half of a surrogate pair', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['an incomplete character', Buffer.from([0x22, 0xf0, 0x9f, 0x99])],
    ['an overlong character', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['UTF-16 with a byte-order mark', Buffer.from('\ufeff{}', 'utf16le')],
  ])('is refused if it is not UTF-8: %s', async (_name, bytes) => {
    const refused = { status: 400, type: 'invalid_request', message: 'the body is not valid UTF-8' }
    expect(await bodyOf(bytes)).toEqual(refused)
  })

  it('is assembled from split characters, without its byte-order mark', async () => {
    const bytes = Buffer.from('\ufeff{"text":"🙂"}')
    const body = ReadableStream.from(Array.from(bytes, (byte) => Uint8Array.of(byte)))
    expect(await bodyOf('', { body })).toBe('{"text":"🙂"}')
  })

  it('is refused as soon as its length or its content is too large', async () => {
    let taken = 0
    async function* endless() {
      for (; ; taken++) yield Buffer.alloc(1_000_000)
    }
    const tooLarge = { status: 413, type: 'too_large' }
    expect(await bodyOf('', { body: endless(), contentLength: '4000001' })).toMatchObject(tooLarge)
    expect(taken).toBe(0)
    expect(await bodyOf('', { body: endless() })).toMatchObject(tooLarge)
    expect(taken).toBe(4)
    expect(await bodyOf(Buffer.alloc(4_000_000, 'x'), { contentLength: '4000000' })).toHaveLength(4_000_000)
  })

  it('that breaks off is an error of the client', async () => {
    async function* broken() {
      yield Buffer.from('{"te')
      throw new Error('aborted')
    }
    expect(await bodyOf('', { body: broken() })).toMatchObject({ status: 400, type: 'invalid_request' })
    expect(await bodyOf('', { body: null })).toBe('')
  })
})
