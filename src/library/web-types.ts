declare global {
  // Empty declarations for projects whose types contain neither the DOM nor Node.js. With them, these add nothing.
  interface AbortSignal {}
  interface Response {}
}

/** A function like the `fetch` of the project's types, without further properties that Bun's has. */
export type Fetch = typeof globalThis extends { fetch: (...values: infer V) => infer R }
  ? (...values: V) => R
  : (url: string, init?: object) => Promise<Response>
