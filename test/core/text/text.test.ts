import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assignOutputPaths, type OutputPathOptions } from '../../../src/core/document/output-path.ts'
import { efforts, knownModelNames, resolveModelAlias } from '../../../src/core/pricing/models.ts'
import { findReplyFailure } from '../../../src/core/request/reply.ts'
import { chooseParameters } from '../../../src/core/request/request.ts'
import { parseTemplate, renderTemplate } from '../../../src/core/request/template.ts'
import { escapeControlChars } from '../../../src/core/text/escape-control-chars.ts'
import { validateRequest } from '../../../src/simulator/validate-request.ts'
import { createReply } from '../../support/scripted-ask.ts'

describe('escapeControlChars', () => {
  it('escapes everything that a terminal would interpret, and keeps ordinary text', () => {
    expect(escapeControlChars('a\u001b]0;pwn\u0007\r\nb\u202ec\u200b\u009bé 漢 👍')).toBe(
      'a\\x1b]0;pwn\\x07\\x0d\\x0ab\\u{202e}c\\u{200b}\\x9bé 漢 👍',
    )
    expect(escapeControlChars('two\nlines\t\u001b', '\n\t')).toBe('two\nlines\t\\x1b')
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        (text) => !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(escapeControlChars(text)),
      ),
    )
  })
})

describe('renderTemplate', () => {
  it('inserts every value once and unchanged', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const template = parseTemplate('<{a}|{b}|{{a}}>')
        expect(renderTemplate(template, { a, b })).toBe(`<${a}|${b}|{a}>`)
      }),
    )
  })
})

describe('assignOutputPaths', () => {
  const none: OutputPathOptions = { caseInsensitive: false, existingSummaries: [] }

  it.each([
    ['docs/a.md', 'docs/a.md.summary.md'],
    ['/srv/x/b.md', 'srv/x/b.md.summary.md'],
    ['C:/x/b.md', 'C/x/b.md.summary.md'],
    ['-', 'stdin.summary.md'],
  ])('assigns to %s the summary %s', (path, summary) => {
    expect(assignOutputPaths([{ path }], none)(path).summary).toBe(summary)
  })

  it('assigns different names to different documents, none too long and none outside the folder', () => {
    const segment = fc.stringMatching(/^[a-zA-Zé.é]{1,3}$/)
    const paths = fc.uniqueArray(
      fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(paths, fc.boolean(), (paths, caseInsensitive) => {
        const name = assignOutputPaths(
          paths.map((path) => ({ path })),
          { caseInsensitive, existingSummaries: [] },
        )
        const summaries = paths.map((path) => name(path).summary)
        const identities = summaries.map((summary) =>
          caseInsensitive ? summary.normalize('NFC').toLowerCase() : summary,
        )
        expect(new Set(identities).size).toBe(paths.length)
        for (const summary of summaries) expect(summary.split('/')).not.toContain('..')
      }),
    )
    const long = `x/${'長'.repeat(85)}`
    const [last] = assignOutputPaths(
      [{ path: long }],
      none,
    )(long)
      .summary.split('/')
      .slice(-1)
    expect(Buffer.byteLength(last ?? '')).toBeLessThanOrEqual(255)
  })
})

describe('assignOutputPaths after earlier runs', () => {
  it('keeps the name of every document, and assigns it to no other document', () => {
    const earlier: [string, string][] = [
      ['/x/a.md', 'x/a.md.summary.md'],
      ['gone.md', 'gone.md.~1.summary.md'],
    ]
    const name = assignOutputPaths([{ path: '/x/a.md' }, { path: 'gone.md' }, { path: 'x/a.md' }], {
      caseInsensitive: false,
      existingSummaries: earlier,
    })
    expect(name('/x/a.md').summary).toBe('x/a.md.summary.md')
    expect(name('gone.md').summary).toBe('gone.md.~1.summary.md')
    // No other document of this run competes for the name, but an earlier run assigned it.
    const alone = assignOutputPaths([{ path: 'x/a.md' }], {
      caseInsensitive: false,
      existingSummaries: earlier,
    })('x/a.md')
    expect(alone.summary).toMatch(/^x\/a\.md\.~[0-9a-f]{12}\.summary\.md$/)
    expect(name('x/a.md')).toEqual(alone)
  })
})

describe('findReplyFailure', () => {
  it.each<[string | null, string, string | undefined]>([
    ['end_turn', 'A summary.', undefined],
    ['stop_sequence', 'A summary.', undefined],
    ['end_turn', '', 'empty'],
    ['end_turn', ' \n', 'empty'],
    ['max_tokens', 'Half', 'max_tokens'],
    ['model_context_window_exceeded', 'Half', 'model_context_window_exceeded'],
    ['refusal', '', 'refusal'],
    ['pause_turn', 'x', 'unexpected_stop'],
    ['tool_use', 'x', 'unexpected_stop'],
    ['made_up_tomorrow', 'x', 'unexpected_stop'],
    [null, 'x', 'unexpected_stop'],
  ])('for the stop reason %s with the text %j returns %s', (stopReason, text, type) => {
    expect(findReplyFailure(createReply(text, { stopReason }), 1024)?.type).toBe(type)
  })
})

describe('chooseParameters', () => {
  const body = (model: string, effort?: (typeof efforts)[number]) => {
    const parameters = chooseParameters({
      model: resolveModelAlias(model),
      maxTokens: 100,
      ...(effort !== undefined && { effort }),
    })
    return {
      model: parameters.model,
      max_tokens: parameters.maxTokens,
      messages: [{ role: 'user', content: 'x' }],
      ...(parameters.thinking !== undefined && { thinking: { type: parameters.thinking } }),
      ...(parameters.effort !== undefined && { output_config: { effort: parameters.effort } }),
    }
  }

  it.each(knownModelNames)('returns parameters that %s accepts', (model) => {
    expect(validateRequest(body(model), 'messages')).not.toHaveProperty('status')
  })

  it.each(efforts)('returns parameters that Haiku and Sonnet accept at effort %s', (effort) => {
    expect(validateRequest(body('haiku', effort), 'messages')).not.toHaveProperty('status')
    expect(validateRequest(body('sonnet', effort), 'messages')).not.toHaveProperty('status')
  })

  it('returns the cheapest parameters for the default model, and none for an unknown model', () => {
    expect(chooseParameters({ model: 'claude-haiku-5-5', maxTokens: 9 })).toEqual({
      model: 'claude-haiku-5-5',
      maxTokens: 9,
      effort: 'low',
      thinking: 'disabled',
    })
    expect(chooseParameters({ model: 'llama-9', maxTokens: 9 })).toEqual({ model: 'llama-9', maxTokens: 9 })
  })
})
