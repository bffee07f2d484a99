import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { examplesFolder, lintersFolder, runCommand } from './examples.ts'
import { createFolder } from './run-cli.ts'

/** Checks the fields of Kubernetes objects and their types. It needs the linters. */
export async function checkManifests(
  objects: readonly { readonly apiVersion: string; readonly kind: string }[],
): ReturnType<typeof runCommand> {
  const folder = await createFolder({})
  await symlink(join(lintersFolder, 'node_modules'), join(folder, 'node_modules'))
  const lines = objects.map(
    (object, n) =>
      `export const object${n}: import('kubernetes-models/${object.apiVersion}/${object.kind}').I${object.kind} = ${JSON.stringify(object)}`,
  )
  await writeFile(join(folder, 'manifests.ts'), lines.join('\n'))
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023']
  const tsc = join(examplesFolder, '../node_modules/.bin/tsc')
  return runCommand(tsc, [...flags, '--ignoreConfig', 'manifests.ts'], { cwd: folder, env: process.env })
}
