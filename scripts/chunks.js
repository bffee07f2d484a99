// Decides which modules share a file of dist/. Node takes about half a millisecond to load each file, so what is loaded
// together is in few files.
import { resolve } from 'node:path'

/**
 * Modules that are loaded together, with all that they import. Modules that none of them imports, such as the readers and
 * most commands, get the files that rolldown chooses.
 */
const loadedTogether = {
  // Any command, also `--help`.
  program: ['src/main.ts'],
  run: ['src/commands/summarize.ts', 'src/config/resolve-settings.ts'],
  library: ['src/index.ts'],
  // Parts of both that are loaded when they are needed.
  request: ['src/claude/claude-client.ts', 'src/claude/anthropic-client.ts'],
  prompts: ['src/inputs/prompts/load-prompt.ts', 'src/inputs/answer-checks/schema-check.ts'],
  stores: [
    'src/core/chunking/chunk-planner.ts',
    'src/library/store-files.ts',
    'src/library/summarize-in-batches.ts',
  ],
  documents: ['src/documents.ts', 'src/inputs/find/find-documents.ts'],
  thread: ['src/inputs/read/readers/reader-thread.ts'],
}

/** Returns a plugin that reads what the modules import, and options of rolldown that group modules with it. */
export function chunksLoadedTogether() {
  const names = Object.keys(loadedTogether)
  /** For each module, what loads it. */
  const loadersById = new Map()
  const plugin = {
    name: 'chunks-loaded-together',
    buildEnd() {
      for (const name of names)
        for (const id of listImports(
          loadedTogether[name].map((path) => resolve(path)),
          this,
        ))
          loadersById.set(id, [...(loadersById.get(id) ?? []), name])
    },
  }
  // The chunk of what is loaded in more cases comes first, because it imports nothing that is loaded in fewer.
  const subsets = listSubsets(names).sort((a, b) => b.length - a.length)
  const groups = [...new Set(subsets.map(nameChunk))].map((name) => ({
    name,
    test: (id) => loadersById.has(id) && nameChunk(loadersById.get(id)) === name,
  }))
  return { plugin, codeSplitting: { groups } }
}

/** Returns the file for what is loaded in several cases. */
function nameChunk(loaders) {
  const isBoth = (...names) => names.every((name) => loaders.includes(name))
  if (isBoth('program', 'library')) return 'shared'
  // Program and library have loaded what their parts need, too.
  const parts = isBoth('run', 'library') ? ['request', 'prompts', 'stores'] : isBoth('program') ? ['run'] : []
  return loaders.filter((name) => !parts.includes(name)).join('-and-')
}

/** Returns modules with all that they import, directly or not. */
function listImports(ids, { getModuleInfo }) {
  const found = new Set(ids)
  for (const id of found) for (const imported of getModuleInfo(id)?.importedIds ?? []) found.add(imported)
  return found
}

function listSubsets(names) {
  return Array.from({ length: 2 ** names.length - 1 }, (_, n) =>
    names.filter((_, bit) => ((n + 1) >> bit) % 2 === 1),
  )
}
