import { createProcessRuntime } from '../../src/runtime.ts'

/** The program's own clock, for tests over real HTTP. */
export const realClock = createProcessRuntime().clock
