import { describe, expect, it } from 'vitest'
import { checkOverwrite, type OutputFileState } from '../../../src/core/document/overwrite-policy.ts'

describe('checkOverwrite', () => {
  const decision = (same: boolean, place: OutputFileState, force = false) => {
    const problem = checkOverwrite(same, place, force)
    return problem === undefined ? 'ask' : `${problem.action} ${problem.type}`
  }
  it.each<[OutputFileState, string, string, string | undefined]>([
    // State of the file; decision for the same request, for another request, and with --force.
    ['missing', 'ask', 'ask', 'ask'],
    ['deleted', 'ask', 'ask', 'ask'],
    ['unmodified', 'skip unchanged', 'ask', undefined],
    ['modified', 'skip modified', 'fail modified', 'ask'],
    ['untracked', 'fail untracked', 'fail untracked', 'ask'],
    ['directory', 'fail in_the_way', 'fail in_the_way', 'fail in_the_way'],
  ])('decides whether to write a summary if the output file is %s', (place, same, other, forced) => {
    expect([decision(true, place), decision(false, place)]).toEqual([same, other])
    // `undefined`: --force changes nothing, because the file is neither edited nor untracked.
    const decisions = forced === undefined ? [same, other] : [forced, forced]
    expect([decision(true, place, true), decision(false, place, true)]).toEqual(decisions)
  })
})
