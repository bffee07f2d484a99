import { realWorld } from '../../src/runtime.ts'

/** The program's own clock, for tests over real HTTP. */
export const realClock = realWorld().clock
