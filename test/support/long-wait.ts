/** Options for `vi.waitUntil` and `vi.waitFor`: a condition may take as long on a busy machine as a test may. */
export const longWait = { timeout: 240_000, interval: 5 }
