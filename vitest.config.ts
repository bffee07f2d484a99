import { defineConfig } from 'vitest/config'

/** Long enough for a machine that does four other things; a test that takes longer hangs. */
const hangsAfterMs = 300_000

const common = {
  testTimeout: hangsAfterMs,
  hookTimeout: hangsAfterMs,
  expect: { poll: { timeout: 240_000, interval: 5 } },
  // Most tests wait for the simulator or for a program they started; vitest's default is one worker fewer than cores.
  maxWorkers: 4,
  // A new process per file would load the program and its packages again for each of them. So a test file must leave
  // nothing behind in its process: what a test stubs in the environment is removed with it.
  isolate: false,
  unstubEnvs: true,
}

export default defineConfig({
  test: {
    ...common,
    projects: [
      {
        extends: true,
        test: {
          ...common,
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.slow.test.ts'],
        },
      },
      // Whatever starts processes (kills, terminals, browsers, packing, other programs) or tries thousands of combinations.
      { extends: true, test: { ...common, name: 'slow', include: ['test/**/*.slow.test.ts'] } },
    ],
  },
})
