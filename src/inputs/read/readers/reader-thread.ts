import { parentPort } from 'node:worker_threads'
import { type ConversionRequest, convertDocument } from './convert-document.ts'

// The worker of `read-in-thread.ts`: reads one document after the other.
parentPort?.on('message', (conversion: ConversionRequest) => {
  void convertDocument(conversion).then((result) => parentPort?.postMessage(result))
})
