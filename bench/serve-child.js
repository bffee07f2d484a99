// The server of bench/serve.js, in a process of its own that can be asked what it holds on to.
import { getHeapStatistics } from 'node:v8'
import { main } from '../dist/main.js'
import { createProcessRuntime } from '../dist/runtime.js'

process.on('message', () => {
  globalThis.gc?.()
  // Once more in a later turn: what the first one finalizes is only freed by the second.
  setImmediate(() => {
    globalThis.gc?.()
    tell()
  })
})

function tell() {
  const resources = process.getActiveResourcesInfo()
  process.send?.({
    sockets: resources.filter((name) => name === 'TCPSocketWrap').length,
    timers: resources.filter((name) => name === 'Timeout').length,
    heap: getHeapStatistics().used_heap_size,
    rss: process.memoryUsage.rss(),
  })
}
await main(createProcessRuntime())
process.disconnect()
