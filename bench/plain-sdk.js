// A script for comparison: the official SDK with its defaults, p-limit, one file per reply.
//   node bench/plain-sdk.js <folder> <out> <pool>
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import pLimit from 'p-limit'

const [folder, out, pool] = process.argv.slice(2)
const anthropic = new Anthropic()
const limit = pLimit(Number(pool))
await mkdir(out, { recursive: true })
const names = await filesBelow(folder)
await Promise.all(
  names.map((name) =>
    limit(async () => {
      const content = await readFile(join(folder, name), 'utf8')
      const message = await anthropic.messages.create({
        model: 'claude-haiku-5-5',
        max_tokens: 1024,
        messages: [{ role: 'user', content: `Summarize:\n${content}` }],
      })
      await writeFile(join(out, `${name.replaceAll('/', '_')}.summary.md`), message.content[0].text)
    }),
  ),
)

async function filesBelow(folder) {
  return (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.md'))
}
