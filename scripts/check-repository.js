// Refuses `npm publish` until package.json has a `repository`. npm derives `bugs` and `homepage` from it, and the
// registry resolves the links of README.md against it.
import { readFile } from 'node:fs/promises'

const { repository } = JSON.parse(await readFile('package.json', 'utf8'))
if (repository === undefined) {
  console.error(
    'package.json has no repository; add it first, for example "repository": "github:OWNER/claude-batch"',
  )
  process.exitCode = 1
}
