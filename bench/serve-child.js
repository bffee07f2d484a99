// The server of bench/serve.js in a separate process. At each message, it reports its open sockets, timers
// and memory.
import { getHeapStatistics } from 'node:v8'
import { start } from '../dist/main.js'

process.on('message', () => {
  globalThis.gc?.()
  // A second collection in a later turn frees objects that the first one finalized.
  setImmediate(() => {
    globalThis.gc?.()
    reportResources()
  })
})

function reportResources() {
  const resources = process.getActiveResourcesInfo()
  process.send?.({
    sockets: resources.filter((name) => name === 'TCPSocketWrap').length,
    timers: resources.filter((name) => name === 'Timeout').length,
    heap: getHeapStatistics().used_heap_size,
    rss: process.memoryUsage.rss(),
  })
}
await start()
