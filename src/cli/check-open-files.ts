import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import { ExitError } from '../errors.ts'

/**
 * What loading the SDK opens at once, and a little more. With fewer Node fails in the middle of that, and in many ways:
 * a package.json that it could not open is to it one that is not there.
 */
const requiredDescriptors = 96

/** Makes sure, within a millisecond, that enough files can be opened. @throws ExitError `ioError` */
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
