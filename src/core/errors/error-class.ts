/**
 * What follows from a request error. `transient`: the API has a temporary problem. `rate_limited`: the same,
 * but the attempt does not count. `document`: the error concerns only this document. `account`: every request
 * would fail in the same way, so the run ends.
 */
export type ErrorClass = 'transient' | 'rate_limited' | 'document' | 'account'
