import type { Flag } from '../flag.ts'

/** How to try a command without a key. */
export const simulationFlags = {
  simulate: {
    group: 'Simulation',
    syntax: '--simulate',
    help: 'use a simulated API in this process: no key, no cost',
  },
} as const satisfies Record<string, Flag>
