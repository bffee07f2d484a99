import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Most tests wait for a program they started or for its service; vitest's own choice is one fewer than there are cores.
    maxWorkers: 4,
    // One process after another would load the program and its packages anew for each of many files. So nothing may
    // be left behind in a process: what a test stubs in the environment goes with it.
    isolate: false,
    unstubEnvs: true,
  },
})
