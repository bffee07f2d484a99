// Reads the documents of one kind for bench/documents.js, in a separate process, so that its peak memory is
// that of the kind. Each message is a path; each reply is the text or the failure, and the seconds.
import { createDocumentReader } from '../.build/documents.js'

const read = createDocumentReader({ cwd: process.cwd(), stdin: process.stdin, encoding: 'auto', pdf: 'text' })

process.on('message', (path) => {
  const start = performance.now()
  const reply = (result) =>
    process.send({
      seconds: (performance.now() - start) / 1000,
      peakMb: process.resourceUsage().maxRSS / 1024,
      ...('text' in result ? { text: result.text } : { failure: result.type }),
    })
  read({ index: 0, path, namedByUser: true }).then(reply, (error) => reply({ type: error.message }))
})
