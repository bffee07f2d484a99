/** Types for the part of micromatch that claude-batch uses; the package has none. */
declare module 'micromatch' {
  interface Micromatch {
    /** Expands the braces of a pattern. @throws RangeError for more than 1,000 in one range */
    braces(pattern: string, options: { expand: true; keepEscaping: true; nodupes: true }): string[]
    /** Compiles a pattern. */
    matcher(pattern: string, options: { dot: true; nonegate: true }): (path: string) => boolean
  }
  const micromatch: Micromatch
  export default micromatch
}
