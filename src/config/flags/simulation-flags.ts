import type { Flag } from '../flag.ts'

/** Flags to try a command without an API key. */
export const simulationFlags = {
  simulate: {
    isCommon: true,
    group: 'Simulation',
    syntax: '--simulate',
    help: 'use a simulated API in this process: no key, no cost',
  },
} as const satisfies Record<string, Flag>
