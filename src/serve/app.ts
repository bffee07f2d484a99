import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { type AnswerStreamOptions, answerStream } from './answer-stream.ts'
import { type AccessRules, checkOrigin, checkToken } from './check-access.ts'
import { type Problem, toErrorBody, toProblem } from './http-problem.ts'
import { readJsonBody } from './request-body.ts'
import type { Page } from './serve-page.ts'

export interface AppOptions extends AnswerStreamOptions {
  readonly accessRules: AccessRules
  readonly page: Page
}

/** Creates the routes of the server. */
export function createApp(options: AppOptions): Hono {
  const { accessRules, page, metrics, drainSignal } = options
  const app = new Hono()

  app.use(async (c, next) => {
    c.header('X-Content-Type-Options', 'nosniff')
    const refusal = checkOrigin(getRequestOrigin(c), accessRules)
    return refusal === undefined ? next() : sendProblem(c, refusal)
  })
  if (accessRules.origins.length > 0)
    app.use(cors({ origin: [...accessRules.origins], allowHeaders, allowMethods }))
  app.get('/', (c) => {
    c.header('Content-Security-Policy', page.contentSecurityPolicy)
    c.header('Referrer-Policy', 'no-referrer')
    return c.html(page.html)
  })
  app.get('/healthz', (c) =>
    drainSignal.aborted ? c.json({ status: 'stopping' }, 503) : c.json({ status: 'ok' }),
  )

  const protectedRoutes = new Hono()
  protectedRoutes.use(async (c, next) => {
    const refusal = checkToken(getRequestOrigin(c), accessRules)
    return refusal === undefined ? next() : sendProblem(c, refusal)
  })
  protectedRoutes.get('/metrics', async (c) =>
    c.body(await metrics.render(), 200, { 'Content-Type': metrics.contentType }),
  )
  protectedRoutes.post('/stream', async (c) => {
    const body = await readJsonBody({
      contentType: c.req.header('content-type'),
      contentEncoding: c.req.header('content-encoding'),
      contentLength: c.req.header('content-length'),
      body: c.req.raw.body,
    })
    if (typeof body !== 'string') return sendProblem(c, body)
    const result = await answerStream(body, c.req.raw.signal, options)
    return 'status' in result ? sendProblem(c, result) : c.body(result, 200, streamHeaders)
  })
  app.route('/', protectedRoutes)

  app.notFound((c) =>
    sendProblem(c, { status: 404, type: 'not_found', message: 'this server has no such path' }),
  )
  app.onError((error, c) => {
    options.onError(error)
    return sendProblem(c, toProblem(error, drainSignal.aborted))
  })
  return app
}

const streamHeaders = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // Caches must neither store nor delay a reply, which is for one client.
  'Cache-Control': 'no-cache',
  // Without this header, nginx buffers the whole reply.
  'X-Accel-Buffering': 'no',
}
const allowHeaders = ['Content-Type', 'Authorization']
const allowMethods = ['GET', 'POST']

function getRequestOrigin(c: Context) {
  return {
    host: c.req.header('host'),
    origin: c.req.header('origin'),
    authorization: c.req.header('authorization'),
  }
}

function sendProblem(c: Context, problem: Problem) {
  if (problem.retryAfterS !== undefined) c.header('Retry-After', String(problem.retryAfterS))
  if (problem.status === 401) c.header('WWW-Authenticate', 'Bearer')
  return c.json(toErrorBody(problem), problem.status)
}
