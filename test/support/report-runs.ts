import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import Ajv2020 from 'ajv/dist/2020.js'
import { expect } from 'vitest'
import type { ReportJson } from '../../src/core/report/report-json.ts'
import { createFolder, startService } from './run-cli.ts'
import { runInProcess } from './run-in-process.ts'

/** Creates four documents, of which `d` fails, and an empty one. The very first request gets a 529. */
export async function setUpReportRuns() {
  const documents = ['a', 'b', 'c', 'd'].map((name) => [
    `docs/${name}/x.md`,
    `Note ${name} about the harbour.`,
  ])
  const cwd = await createFolder({ ...Object.fromEntries(documents), 'docs/empty.md': '' })
  const { env, simulator } = await startService({
    script: ({ request, index }) =>
      request.text.includes('Note d')
        ? { kind: 'status', status: 422 }
        : index === 0
          ? { kind: 'status', status: 529 }
          : { kind: 'answer', delayMs: 5 },
  })
  // Small, so that backoff is short, and never repeated, so that runs have different ids.
  let drawn = 0
  const random = () => ((drawn++ * 37) % 97) / 400
  const run = (...args: string[]) => runInProcess(args, { cwd, env, random })
  const json = async (file: string) => JSON.parse(await readFile(join(cwd, file), 'utf8')) as ReportJson
  return { cwd, env, run, json, simulator }
}

const root = resolve(import.meta.dirname, '../..')
const schema = JSON.parse(await readFile(join(root, 'dist/schemas/report.json'), 'utf8')) as object
const validate = new Ajv2020.default().compile(schema)

/** Checks that the report matches its schema. */
export function checkReport(report: unknown): ReportJson {
  validate(report)
  expect(validate.errors).toBeNull()
  return report as ReportJson
}
