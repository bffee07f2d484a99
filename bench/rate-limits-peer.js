// A script for comparison: the official SDK with its built-in retries, p-limit, one file per document.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import pLimit from 'p-limit'

const [docs, out, pool] = process.argv.slice(2)
const client = new Anthropic({ maxRetries: 2 })
const limit = pLimit(Number(pool))
await Promise.all(
  (await readdir(docs)).sort().map((name) =>
    limit(async () => {
      const text = await readFile(join(docs, name), 'utf8')
      const message = await client.messages.create({
        model: 'claude-haiku-5-5',
        max_tokens: 1024,
        thinking: { type: 'disabled' },
        messages: [{ role: 'user', content: `Summarize this document in one paragraph:\n\n${text}` }],
      })
      await writeFile(join(out, `${name}.summary.md`), message.content[0].text)
    }).catch(() => {}),
  ),
)
