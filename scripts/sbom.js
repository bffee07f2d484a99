import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'

/**
 * Returns a CycloneDX document of the bundled packages, for scanners that look for `*.cdx.json`. It has no
 * timestamp and no random serial number, so that builds are reproducible.
 * @param packages from packagesOf
 * @see https://cyclonedx.org/docs/1.6/json/
 */
export async function sbomOf(packages) {
  const own = JSON.parse(await readFile('package.json', 'utf8'))
  const lock = JSON.parse(await readFile('package-lock.json', 'utf8'))
  const component = (type, { name, version, license }) => ({
    type,
    'bom-ref': purlOf(name, version),
    ...nameParts(name),
    version,
    licenses: [/ (OR|AND|WITH) /.test(license) ? { expression: license } : { license: { id: license } }],
    purl: purlOf(name, version),
  })
  const bundled = await Promise.all(
    packages.map(async ({ folder, files, ...found }) => {
      const parts = await polyfillsOf(files)
      return {
        ...component('library', found),
        scope: 'required',
        hashes: hashesOf(lock.packages[relative('.', folder).replaceAll('\\', '/')]?.integrity),
        ...(parts.length > 0 && { components: parts.map((part) => component('library', part)) }),
      }
    }),
  )
  const refs = new Map(packages.map(({ name, version }) => [name, purlOf(name, version)]))
  const direct = packages.filter(({ name }) => name in own.devDependencies)
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: component('application', own) },
    components: bundled,
    dependencies: [
      { ref: purlOf(own.name, own.version), dependsOn: direct.map(({ name }) => refs.get(name)) },
      ...packages.map(({ name, version, dependencies = {} }) => ({
        ref: purlOf(name, version),
        dependsOn: Object.keys(dependencies).flatMap((needed) => refs.get(needed) ?? []),
      })),
    ],
  }
}

/** Returns core-js if it is part of files, which name its version: pdf.js is compiled for older engines with it. */
async function polyfillsOf(files) {
  const versions = new Set()
  for (const path of files) {
    const text = await readFile(path, 'utf8')
    const version = /zloirock\/core-js\/blob\/v([\d.]+)\/LICENSE/.exec(text)?.[1]
    if (version !== undefined) versions.add(version)
  }
  return Array.from(versions, (version) => ({ name: 'core-js', version, license: 'MIT' }))
}

function nameParts(name) {
  const [group, rest] = name.split('/')
  return rest === undefined ? { name } : { group, name: rest }
}

/**
 * Returns a package URL. @see https://github.com/package-url/purl-spec/blob/main/types-doc/npm-definition.md
 */
function purlOf(name, version) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`
}

/** Returns the hashes of a package's tarball in the registry. @param integrity from package-lock.json */
function hashesOf(integrity) {
  const [, algorithm, base64] = /^sha(\d+)-(.+)$/.exec(integrity) ?? []
  if (base64 === undefined) throw new Error('a bundled package has no hash in package-lock.json')
  return [{ alg: `SHA-${algorithm}`, content: Buffer.from(base64, 'base64').toString('hex') }]
}
