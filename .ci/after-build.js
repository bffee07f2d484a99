// What the compiler leaves to do: the page of `serve`, the schemas that editors complete by, and the manual page.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { configSchema, promptSchema } from '../dist/config/schema.js'
import { reportSchema } from '../dist/core/report-schema.js'
import { manualPage } from './man.js'

for (const page of ['server/page.html', 'ui/report-html/page.css', 'ui/report-html/page.js'])
  await copyFile(`src/${page}`, `dist/${page}`)
await mkdir('dist/schemas', { recursive: true })
const schemas = { config: configSchema(), prompt: promptSchema, report: reportSchema }
for (const [name, schema] of Object.entries(schemas))
  await writeFile(`dist/schemas/${name}.json`, `${JSON.stringify(schema, null, 2)}\n`)

const { version } = JSON.parse(await readFile('package.json', 'utf8'))
await mkdir('dist/man', { recursive: true })
await writeFile('dist/man/claude-batch.1', await manualPage(version))
