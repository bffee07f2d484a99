// A lower bound for comparison: sends the requests and does nothing else.
//   node bench/bare-undici.js <folder> <out> <pool>
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { Agent, request } from 'undici'

const [folder, , pool] = process.argv.slice(2)
const dispatcher = new Agent({ connections: Number(pool) })
const limit = pLimit(Number(pool))
const url = `${process.env.ANTHROPIC_BASE_URL}/v1/messages`
const headers = { 'x-api-key': 'bench', 'content-type': 'application/json' }
await Promise.all(
  (await filesBelow(folder)).map((name) =>
    limit(async () => {
      const content = await readFile(join(folder, name), 'utf8')
      const body = JSON.stringify({
        model: 'claude-haiku-5-5',
        max_tokens: 1024,
        messages: [{ role: 'user', content }],
      })
      const answer = await request(url, { method: 'POST', headers, body, dispatcher })
      await answer.body.json()
    }),
  ),
)
await dispatcher.close()

async function filesBelow(folder) {
  return (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.md'))
}
