// Plugins of scripts/build.js. The library must not depend on its path, so that other bundlers can bundle it.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { minifySync } from 'rolldown/utils'
import { parse } from 'yaml'

const requireImport = 'import { createRequire } from "node:module";\n'
const createdRequire = /\(\(\) => createRequire\(import\.meta\.url\)\)\(\)/g
const requireBuiltin = `((id) => {
	const builtin = process.getBuiltinModule(id);
	if (builtin) return builtin;
	throw Object.assign(new Error(\`No such built-in module: \${id}\`), { code: "ERR_UNKNOWN_BUILTIN_MODULE" });
})`

/** Replaces the module that reads the shipped prompts with one that contains them, as text and as data. */
export const embeddedPrompts = {
  name: 'embedded-prompts',
  load: {
    filter: { id: /src[\\/]inputs[\\/]prompts[\\/]shipped-prompts\.ts$/ },
    async handler() {
      const files = (await readdir('prompts')).sort()
      const prompts = files.map(async (file) => {
        const text = await readFile(join('prompts', file), 'utf8')
        return [file.replace(/\.yaml$/, ''), { text, data: parse(text) }]
      })
      return `export const shippedPrompts = new Map(${JSON.stringify(await Promise.all(prompts), null, 2)})`
    },
  },
}

/**
 * Lets CommonJS packages load Node's built-in modules without `createRequire(import.meta.url)`. Webpack would
 * resolve that call itself, and `import.meta.url` is undefined in a CommonJS bundle. All other modules are
 * bundled.
 */
export const builtinsWithoutPath = {
  name: 'builtins-without-path',
  renderChunk(code) {
    const found = code.match(createdRequire)?.length ?? 0
    if (found === 0) return null
    const [head, ...rest] = code.split(requireImport)
    if (found !== 1 || rest.length !== 1)
      throw new Error('rolldown has changed how it loads Node modules; adapt this plugin')
    return { code: head + rest[0].replace(createdRequire, () => requireBuiltin), map: null }
  },
}

/** Leaves out what utif2 unpacks Deflate with: `src/inputs/read/readers/tiff.ts` does it before, with Node's zlib. */
export const unusedInflate = {
  name: 'unused-inflate',
  resolveId: { filter: { id: /^pako$/ }, handler: () => '\0unused-inflate' },
  load: { filter: { id: /^\0unused-inflate$/ }, handler: () => 'export {}' },
}

/**
 * Leaves out HTTP/2, which undici only uses if it is allowed. Loading it, and what Node needs for it, takes a tenth of the
 * start of a run.
 */
export const unusedHttp2 = {
  name: 'unused-http2',
  resolveId: { filter: { id: /^\.\/client-h2\.js$/ }, handler: () => '\0unused-http2' },
  load: {
    filter: { id: /^\0unused-http2$/ },
    handler: () => `module.exports = () => { throw new Error('HTTP/2 is not supported') }`,
  },
}

/** Leaves out what commander starts other programs with, for subcommands that are programs. */
export const unusedPrograms = {
  name: 'unused-programs',
  transform: {
    filter: { id: /node_modules[\\/]commander[\\/]lib[\\/]command\.js$/ },
    handler: (code) => code.replace("require('node:child_process')", '{}'),
  },
}

/**
 * Imports Node's modules without the getters of all their exports, which an `import` calls: that of `node:fs` loads
 * streams, that of `node:crypto` Web Crypto. Only in what every command loads.
 */
export const builtinsWithoutGetters = {
  name: 'builtins-without-getters',
  renderChunk(code, { name }) {
    if (!['program', 'shared', 'fixed-text'].includes(name)) return null
    const withoutImports = code.replace(
      /^import (\{[^}]*\}) from ("node:[\w/]+");$/gm,
      (_, names, id) => `const ${names.replaceAll(' as ', ': ')} = process.getBuiltinModule(${id});`,
    )
    return { code: withoutImports, map: null }
  },
}

/** Removes the white space that rolldown adds to packages that are published without. */
export const minifiedAsPublished = {
  name: 'minified-as-published',
  generateBundle(_, bundle) {
    const whiteSpaceOnly = { module: true, compress: false, mangle: false }
    for (const chunk of Object.values(bundle)) {
      if (!chunk.moduleIds?.some((id) => id.endsWith('.min.mjs'))) continue
      const { code, errors } = minifySync(chunk.fileName, chunk.code, whiteSpaceOnly)
      if (errors.length > 0) throw new Error(errors[0].message)
      chunk.code = code
    }
  },
}
