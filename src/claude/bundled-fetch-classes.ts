import { FormData } from 'undici/lib/web/fetch/formdata.js'
import { Headers } from 'undici/lib/web/fetch/headers.js'

/**
 * Makes two classes of the bundled undici global: `Headers` and `FormData`. The SDK uses the global ones, and the first
 * use of Node's own loads all of its `fetch` and HTTP/2: a tenth of the CPU time of a short run. Only for programs, never
 * for the library: objects of the old classes are no instances of the new ones.
 */
export function useBundledFetchClasses(): void {
  for (const [name, value] of Object.entries({ FormData, Headers }))
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true })
}
