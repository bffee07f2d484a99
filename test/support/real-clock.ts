import { realWorld } from '../../src/world.ts'

/** The program's own clock, for tests over real HTTP. */
export const realClock = realWorld().clock
