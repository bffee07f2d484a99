import { describe, expect, it } from 'vitest'
import { describeAnswer } from '../../src/serve/describe-answer.ts'
import { parseQuestion, QuestionError } from '../../src/serve/parse-question.ts'
import { loadPage } from '../../src/serve/serve-page.ts'
import { createReply } from '../support/scripted-ask.ts'
import { startServe } from '../support/start-serve.ts'

describe('the details of an answer', () => {
  it('are in the last event only if the client asks for them', async () => {
    const { post } = await startServe()
    const lastEvent = async (body: object) => {
      const lines = (await (await post(body)).text()).trim().split('\n\n')
      return JSON.parse((lines.at(-1) ?? '').slice('data: '.length)) as object
    }
    expect(Object.keys(await lastEvent({ text: 'Boats float.' }))).toEqual(['done', 'usage'])
    expect(await lastEvent({ text: 'Boats float.', prompt: 'summarize@v1', details: true })).toMatchObject({
      done: true,
      model: expect.stringContaining('haiku'),
      prompt: 'summarize@v1',
      cost_usd: expect.any(Number),
    })
    expect(await lastEvent({ prompt: 'What floats?', details: true })).toMatchObject({ prompt: null })
  })

  it('have no cost if it is not known', () => {
    expect(describeAnswer({ ...createReply('Boats'), attempts: [] }, undefined).cost_usd).toBeNull()
  })

  it('must be true or false', () => {
    expect(parseQuestion('{"text":"a","details":false}')).toEqual({ text: 'a' })
    expect(() => parseQuestion('{"text":"a","details":"yes"}')).toThrow(QuestionError)
  })
})

describe('the banner of the page', () => {
  it('is visible only if the server is simulated', async () => {
    expect((await loadPage()).html).toContain('<p id="simulated" hidden>')
    expect((await loadPage({ simulated: true })).html).toContain('<p id="simulated"><strong>Simulated.')
  })
})
