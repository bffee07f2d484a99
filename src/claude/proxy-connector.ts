import type { buildConnector } from 'undici'

/**
 * Wraps a connector so that a proxy which closes the connection instead of answering fails the request. undici takes
 * its error for one of a connection that was used before, and would connect again without end.
 */
export function withFinalErrors(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      const [error] = result
      if ((error as NodeJS.ErrnoException | null)?.code !== 'UND_ERR_SOCKET') return callback(...result)
      const closed = new Error('the proxy closed the connection without an answer')
      return callback(Object.assign(closed, { code: 'ECONNRESET' }), null)
    })
}
