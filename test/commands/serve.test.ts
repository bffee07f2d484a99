import { expect, it } from 'vitest'
import { allEvents, serving } from '../support/serving.ts'

it('tells the operator who gets in, and at the end what it cost', async () => {
  const alone = await serving()
  expect(alone.said()).toContain('open to every program on this machine, and to no page but its own\n')
  const origins = ['--allow-origin', 'https://a.example', '--allow-origin', 'https://b.example']
  const { said, post, signal, ended } = await serving(origins)
  expect(said()).toContain('and to pages of https://a.example, https://b.example\n')
  await allEvents(await post({ prompt: 'What floats?' }))
  signal('SIGTERM')
  await ended
  expect(said()).toMatch(/requests sent: 1; \d+ tokens in, \d+ out, \$0\.0000\d+\n$/)
})
