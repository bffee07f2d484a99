import { execFile } from 'node:child_process'
import { mkdir, rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')

/** Packs the built package into a folder as `npm publish` would. @returns the path of the tarball */
export async function packInto(folder: string): Promise<string> {
  const packing = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder]
  const { stdout } = await run('npm', packing, { cwd: root })
  return join(folder, stdout.trim().split('\n').at(-1) ?? '')
}

/** Packs the built package and unpacks it into a folder's `node_modules`. */
export async function installPacked(folder: string): Promise<void> {
  await run('tar', ['xzf', await packInto(folder)], { cwd: folder })
  await mkdir(join(folder, 'node_modules'), { recursive: true })
  await rename(join(folder, 'package'), join(folder, 'node_modules/claude-batch'))
}
