/** Options for `vi.waitUntil` and `vi.waitFor`: on a busy machine, a wait may take as long as a test. */
export const longWait = { timeout: 240_000, interval: 5 }
