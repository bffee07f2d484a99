import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { examplesFolder, readExample } from '../support/examples.ts'
import { createFolder } from '../support/run-cli.ts'

const units = readdirSync(examplesFolder).filter((name) => /\.(service|timer)$/.test(name))
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0
/** Debian's `crontab` prints its usage, which has the option that only checks a file. */
const canCheckCrontab = /^\s+-n\s/m.test(spawnSync('crontab', ['-h'], { encoding: 'utf8' }).stderr ?? '')

describe('the documentation', () => {
  it.each([
    ['crontab', 'cron.md', 'crontab'],
    ...units.map((name) => [name, name.includes('serve') ? 'serve.md' : 'cron.md', 'ini']),
  ])('shows the example %s unchanged', (name, page, language) => {
    const text = readFileSync(join(examplesFolder, '../docs', page), 'utf8')
    expect(text).toContain(`\`\`\`${language}\n${readExample(name)}\`\`\``)
  })

  it('lists all examples', () => {
    const listed = [...readExample('README.md').matchAll(/\]\(([\w.-]+)\)/g)].map(([, name]) => name)
    const files = readdirSync(examplesFolder).filter((name) => !/^README\.md$|\.tgz$/.test(name))
    expect(listed.toSorted()).toEqual(files.toSorted())
  })
})

describe('the examples for systemd', () => {
  it.skipIf(!hasSystemd).each(units)(
    '%s is accepted, with the installed program at its place',
    async (name) => {
      const folder = await createFolder(
        Object.fromEntries(
          units.map((unit) => [
            unit,
            readExample(unit).replaceAll('/usr/local/bin/claude-batch', process.execPath),
          ]),
        ),
      )
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', join(folder, name)], {
        encoding: 'utf8',
        env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` },
      })
      expect(stderr.split('\n').filter((line) => line.includes(name))).toEqual([])
      expect(status, stderr).toBe(0)
    },
  )
})

describe('the example for cron', () => {
  it.skipIf(!canCheckCrontab)('is accepted by crontab', () => {
    const { status, stderr } = spawnSync('crontab', ['-n', join(examplesFolder, 'crontab')], {
      encoding: 'utf8',
    })
    expect(status, stderr).toBe(0)
  })
})
