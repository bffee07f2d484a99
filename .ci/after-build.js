// What the compiler leaves to do: the page of `serve`, and the schemas that editors complete by.
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { configSchema, promptSchema } from '../dist/config/schema.js'

await copyFile('src/server/page.html', 'dist/server/page.html')
await mkdir('dist/schemas', { recursive: true })
for (const [name, schema] of Object.entries({ config: configSchema(), prompt: promptSchema }))
  await writeFile(`dist/schemas/${name}.json`, `${JSON.stringify(schema, null, 2)}\n`)
