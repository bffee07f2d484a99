import { expect, it } from 'vitest'
import { readAllEvents, startServe } from '../support/start-serve.ts'

it('serve prints at its start who may connect, and at its end the cost', async () => {
  const alone = await startServe()
  expect(alone.getStderr()).toContain(
    'any program on this machine can use it, web pages of other origins cannot\n',
  )
  const origins = ['--allow-origin', 'https://a.example', '--allow-origin', 'https://b.example']
  const { getStderr, post, sendSignal: signal, exitCode: ended } = await startServe(origins)
  expect(getStderr()).toContain('and web pages of https://a.example, https://b.example\n')
  await readAllEvents(await post({ prompt: 'What floats?' }))
  signal('SIGTERM')
  await ended
  expect(getStderr()).toMatch(/requests sent: 1; \d+ tokens in, \d+ out, \$0\.0000\d+\n$/)
})

it('serve rejects a request that would wait too long, and keeps serving', async () => {
  let limited = true
  const { getStderr, post } = await startServe(['--max-wait', '1s'], {
    service: {
      script: () =>
        limited
          ? { kind: 'status', status: 429, headers: { 'retry-after': '300' } }
          : { kind: 'answer', delayMs: 1 },
    },
  })
  const refused = await post({ prompt: 'What floats?' })
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '60'])
  expect(await refused.json()).toMatchObject({ error: { type: 'wait_too_long' } })
  expect(getStderr()).toMatch(/the API asks for a pause of 5 min, longer than --max-wait 1 s/)
  expect(getStderr()).not.toContain('bug')
  limited = false
  expect((await post({ prompt: 'And now?' })).status).toBe(200)
})

it('serve prints an account error, and keeps running', async () => {
  let refused = true
  const {
    getStderr,
    post,
    exitCode: ended,
  } = await startServe([], {
    service: { script: () => (refused ? { kind: 'status', status: 401 } : { kind: 'answer', delayMs: 1 }) },
  })
  expect((await post({ prompt: 'What floats?' })).status).toBe(502)
  expect(getStderr()).toMatch(/401 .*ANTHROPIC_API_KEY/)
  refused = false
  expect((await post({ prompt: 'And now?' })).status).toBe(200)
  expect(await Promise.race([ended, Promise.resolve('running')])).toBe('running')
})
