import { describe, expect, it } from 'vitest'
import { findHomeFolder } from '../../../src/core/document/home-folder.ts'

describe('findHomeFolder', () => {
  it.each([
    [{ HOME: '/home/a', USERPROFILE: 'C:\\Users\\a' }, '/home/a'],
    [{ HOME: '', USERPROFILE: 'C:\\Users\\a' }, 'C:\\Users\\a'],
    [{}, undefined],
  ])('of %j is %s', (env, home) => expect(findHomeFolder(env)).toBe(home))
})
