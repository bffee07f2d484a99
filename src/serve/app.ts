import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { type AnswerOptions, answer } from './answer.ts'
import { accessRefusalOf, type GuardOptions, refusalOf } from './check-origin.ts'
import type { Page } from './page.ts'
import { errorBody, type Problem, problemOf } from './problem.ts'
import { jsonBody } from './request-body.ts'

export interface AppOptions extends AnswerOptions {
  readonly guard: GuardOptions
  readonly page: Page
}

/** The HTTP interface, from requests to responses. */
export function createApp(options: AppOptions): Hono {
  const { guard, page, metrics, drain } = options
  const app = new Hono()

  app.use(async (c, next) => {
    c.header('X-Content-Type-Options', 'nosniff')
    const refusal = refusalOf(callerOf(c), guard)
    return refusal === undefined ? next() : refuse(c, refusal)
  })
  if (guard.origins.length > 0) app.use(cors({ origin: [...guard.origins], allowHeaders, allowMethods }))
  app.get('/', (c) => {
    c.header('Content-Security-Policy', page.policy)
    c.header('Referrer-Policy', 'no-referrer')
    return c.html(page.html)
  })
  app.get('/healthz', (c) => (drain.aborted ? c.json({ status: 'stopping' }, 503) : c.json({ status: 'ok' })))

  const members = new Hono()
  members.use(async (c, next) => {
    const refusal = accessRefusalOf(callerOf(c), guard)
    return refusal === undefined ? next() : refuse(c, refusal)
  })
  members.get('/metrics', async (c) =>
    c.body(await metrics.text(), 200, { 'Content-Type': metrics.contentType }),
  )
  members.post('/stream', async (c) => {
    const body = await jsonBody({
      contentType: c.req.header('content-type'),
      contentEncoding: c.req.header('content-encoding'),
      contentLength: c.req.header('content-length'),
      body: c.req.raw.body,
    })
    if (typeof body !== 'string') return refuse(c, body)
    const answered = await answer(body, c.req.raw.signal, options)
    return 'status' in answered ? refuse(c, answered) : c.body(answered, 200, streamHeaders)
  })
  app.route('/', members)

  app.notFound((c) => refuse(c, { status: 404, type: 'not_found', message: 'there is nothing here' }))
  app.onError((error, c) => {
    options.failed(error)
    return refuse(c, problemOf(error, drain.aborted))
  })
  return app
}

const streamHeaders = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // A cache would keep or hold back what is meant for one reader now.
  'Cache-Control': 'no-cache',
  // nginx would otherwise collect the whole answer before it hands on the first word.
  'X-Accel-Buffering': 'no',
}
const allowHeaders = ['Content-Type', 'Authorization']
const allowMethods = ['GET', 'POST']

function callerOf(c: Context) {
  return {
    host: c.req.header('host'),
    origin: c.req.header('origin'),
    authorization: c.req.header('authorization'),
  }
}

function refuse(c: Context, problem: Problem) {
  if (problem.retryAfterS !== undefined) c.header('Retry-After', String(problem.retryAfterS))
  if (problem.status === 401) c.header('WWW-Authenticate', 'Bearer')
  return c.json(errorBody(problem), problem.status)
}
