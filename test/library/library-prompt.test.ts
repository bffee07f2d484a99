import { describe, expect, it } from 'vitest'
import { createClient, loadPrompt, summarizeAll } from '../../src/index.ts'
import { collectItems, createLibraryClient, getRejection } from '../support/library-client.ts'
import { startRecordingServer } from '../support/recording-server.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const mine = `versions:
  v1:
    system: You write for {audience}.
    user_template: "{text}\\n\\nSay it to {audience}."
    max_tokens: 300
`

describe('loadPrompt', () => {
  it('loads a version of a shipped prompt', async () => {
    const cwd = await createFolder({})
    expect(await loadPrompt('summarize@v1', { cwd })).toMatchObject({ version: 'v1', origin: 'shipped' })
    expect(await loadPrompt('summarize', { cwd })).toMatchObject({ version: 'v3', origin: 'shipped' })
  })

  it('prefers a prompt of the user, by name and by path, and fills in its placeholders', async () => {
    const cwd = await createFolder({ 'prompts/summarize.yaml': mine })
    const vars = { audience: '{text} & nurses' }
    const prompt = await loadPrompt('./prompts/summarize.yaml', { cwd, vars })
    const byName = await loadPrompt('summarize', { cwd, vars })
    expect(byName).toEqual({ ...prompt, origin: 'prompts/summarize.yaml' })

    const { bodies, env } = await startRecordingServer()
    await using client = createClient({ env })
    await collectItems(summarizeAll(['The tide is high.'], { client, prompt }))
    expect(bodies).toMatchObject([
      {
        system: 'You write for {text} & nurses.',
        max_tokens: 300,
        messages: [{ content: expect.stringMatching(/>\n\nSay it to \{text\} & nurses\.$/) }],
      },
    ])
  })

  it.each([
    ['./mine.yaml', {}, /^\.\/mine\.yaml:4:\d+: .*unknown placeholder \{audience\}/],
    ['./mine.yaml@v9', { audience: 'x' }, /^prompt \.\/mine\.yaml@v9: .* has no version v9; use one of v1$/],
    ['./mine.yaml', { audience: 'x', tone: 'y' }, /^vars: tone: .* has no placeholder \{tone\}$/],
    ['nothing', {}, /^prompt nothing: there is no prompts\/nothing\.yaml here/],
  ])('rejects %s with %j and names the mistake', async (spec, vars, message) => {
    const cwd = await createFolder({ 'mine.yaml': mine })
    const error = await getRejection(loadPrompt(spec, { cwd, vars }))
    expect(error).toMatchObject({ name: 'ClaudeBatchError', type: 'configuration' })
    expect((error as Error).message).toMatch(message)
  })

  it('rejects arguments that are not strings', async () => {
    expect(await getRejection(loadPrompt(undefined as unknown as string))).toBeInstanceOf(TypeError)
    const vars = { audience: 3 } as unknown as Record<string, string>
    expect(await getRejection(loadPrompt('summarize', { vars }))).toEqual(
      new TypeError('loadPrompt: vars: audience must be a text'),
    )
  })

  it('returns a prompt that ends summarizeAll before any request if its effort is not supported', async () => {
    const cwd = await createFolder({
      'eager.yaml': `${mine.replaceAll('{audience}', 'all')}    effort: low\n`,
    })
    const { client, simulator } = await createLibraryClient({}, { model: 'claude-haiku-4-5' })
    const prompt = await loadPrompt('./eager.yaml', { cwd })
    expect(await getRejection(collectItems(summarizeAll(['a text'], { client, prompt })))).toMatchObject({
      type: 'configuration',
      message: 'effort low: claude-haiku-4-5 accepts none',
    })
    expect(simulator.stats().requests).toBe(0)
  })

  it('returns a prompt with a schema, which serve refuses because its replies are text', async () => {
    const schema = '    schema: { type: object, additionalProperties: false, required: [], properties: {} }\n'
    const cwd = await createFolder({ 'facts.yaml': `${mine.replaceAll('{audience}', 'all')}${schema}` })
    expect(await loadPrompt('./facts.yaml', { cwd })).toMatchObject({ schema: { type: 'object' } })
    const served = await runInProcess(['serve', '--simulate', '--port', '0', '--prompt', './facts.yaml'], {
      cwd,
    })
    expect([served.code, served.stderr]).toEqual([2, expect.stringContaining('the prompt has a schema')])
  })
})
