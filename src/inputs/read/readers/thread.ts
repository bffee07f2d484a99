import { parentPort } from 'node:worker_threads'
import { type Conversion, convert } from './convert.ts'

// The other side of `apart.ts`: one document after the other.
parentPort?.on('message', (conversion: Conversion) => {
  void convert(conversion).then((result) => parentPort?.postMessage(result))
})
