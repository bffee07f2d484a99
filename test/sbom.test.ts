import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { readBundledPackages } from './support/loaded-packages.ts'

const root = resolve(import.meta.dirname, '..')
const read = (path: string) => readFile(resolve(root, path), 'utf8')

it('the SBOM lists every shipped package with its licence and the hash of its tarball', async () => {
  const { metadata, components, dependencies } = JSON.parse(await read('dist/sbom.cdx.json')) as Sbom
  const licences = await read('dist/third-party-licenses.txt')
  const shipped = Array.from(licences.matchAll(/^={78}\n\n(\S+) (\S+) \(/gm), ([, name, version]) => {
    return `pkg:npm/${name?.replace('@', '%40')}@${version}`
  })
  expect(shipped.length).toBeGreaterThan(50)
  expect(components.map(({ purl }) => purl).sort()).toEqual(shipped.sort())
  for (const { purl, licenses, hashes } of components)
    expect([purl, licenses.length, hashes[0]?.content.length]).toEqual([purl, 1, 128])
  const reached = new Set([metadata.component.purl])
  for (const purl of reached)
    for (const { ref, dependsOn } of dependencies)
      if (ref === purl) for (const needed of dependsOn) reached.add(needed)
  expect([...reached].sort()).toEqual([metadata.component.purl, ...shipped].sort())
})

it('the SBOM lists every package with code in dist/, and core-js, which is part of pdf.js', async () => {
  const { components } = JSON.parse(await read('dist/sbom.cdx.json')) as Sbom
  const bundled = Object.values(readBundledPackages()).flat()
  const listed = components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`))
  expect([...new Set(bundled)].sort()).toEqual(listed.sort())
  const pdfjs = components.find(({ name }) => name === 'pdfjs-dist')
  expect(pdfjs?.components).toEqual([
    expect.objectContaining({ name: 'core-js', version: expect.any(String) }),
  ])
})

it('the licences include the notices in the files of packages, and the licence of the character maps', async () => {
  const licences = await read('dist/third-party-licenses.txt')
  const holders = [
    'Mozilla Foundation',
    'Adobe Systems',
    'Denis Pushkarev',
    'Niklas von Hertzen',
    'Andrew Kelley',
  ]
  for (const holder of holders) expect(licences).toContain(holder)
})

interface Sbom {
  readonly metadata: { readonly component: { readonly purl: string } }
  readonly components: readonly {
    readonly group?: string
    readonly name: string
    readonly components?: readonly object[]
    readonly purl: string
    readonly licenses: readonly unknown[]
    readonly hashes: readonly { readonly content: string }[]
  }[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}
