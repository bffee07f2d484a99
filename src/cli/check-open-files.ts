import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import { ExitError } from '../errors.ts'

/**
 * File descriptors that loading the SDK needs at the same time, with a small margin. With fewer, Node fails
 * in confusing ways: for example, it treats a package.json that it cannot open as missing.
 */
const requiredDescriptors = 96

/**
 * Checks that the process can open enough files; takes less than a millisecond.
 * @throws ExitError `ioError`
 */
export function checkOpenFiles(): void {
  const descriptors: number[] = []
  try {
    while (descriptors.length < requiredDescriptors) descriptors.push(openSync(devNull, 'r'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EMFILE' || code === 'ENFILE')
      throw new ExitError(
        'ioError',
        `only ${descriptors.length} files can be opened, and ${requiredDescriptors} are needed; raise ulimit -n`,
      )
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor)
  }
}
