// Parts of undici, imported by path. Its entry point also loads fetch, WebSocket, caches and mocks, which
// doubles the code that is loaded before the first request.
declare module 'undici/lib/dispatcher/agent.js' {
  import { Agent } from 'undici'
  export default Agent
}
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici'
  export default Pool
}
declare module 'undici/lib/dispatcher/proxy-agent.js' {
  import { ProxyAgent } from 'undici'
  export default ProxyAgent
}
declare module 'undici/lib/core/util.js' {
  export function parseHeaders(raw: Buffer[]): Record<string, string | string[] | undefined>
}
declare module 'undici/lib/api/api-connect.js' {
  import type { Dispatcher } from 'undici'

  const connect: Dispatcher['connect']
  export default connect
}
declare module 'undici/lib/core/connect.js' {
  import type { buildConnector as build } from 'undici'
  export default function buildConnector(options?: build.BuildOptions): build.connector
}
declare module 'undici/lib/web/fetch/formdata.js' {
  export { FormData } from 'undici'
}
declare module 'undici/lib/web/fetch/headers.js' {
  export { Headers } from 'undici'
}
