import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import fastGlob from 'fast-glob'
import { describe, expect, it } from 'vitest'
import { createFolder } from './support/run-cli.ts'

const root = resolve(import.meta.dirname, '..')
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0

/** Returns the text of each unit of systemd that the documentation shows, by its name. */
async function readUnits(): Promise<Record<string, string>> {
  const units: Record<string, string> = {}
  for (const page of await fastGlob('docs/*.md', { cwd: root, absolute: true })) {
    const text = await readFile(page, 'utf8')
    for (const [, name = '', unit = ''] of text.matchAll(
      /```ini\n# \/etc\/systemd\/system\/(\S+)\n(.*?)```/gs,
    ))
      units[name] = unit
  }
  return units
}

const installed = '/usr/local/bin/claude-batch'

describe('the units of systemd in the documentation', () => {
  it.skipIf(!hasSystemd)('are accepted by systemd, with the installed program at its place', async () => {
    const units = await readUnits()
    expect(Object.keys(units)).toEqual(
      expect.arrayContaining(['claude-batch.service', 'claude-batch.timer', 'claude-batch-serve.service']),
    )
    const files = Object.entries(units).map(
      ([name, unit]) => [name, unit.replaceAll(installed, process.execPath)] as const,
    )
    const folder = await createFolder(Object.fromEntries(files))
    for (const [name] of files) {
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', join(folder, name)], {
        encoding: 'utf8',
        env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` },
      })
      expect(
        stderr.split('\n').filter((line) => line.includes(name)),
        name,
      ).toEqual([])
      expect(status, stderr).toBe(0)
    }
  })
})
