import type { InputProblem } from './document.ts'

/** The problem of a document whose summary was made with other settings, in a run that keeps such summaries. */
export const otherSettingsProblem: InputProblem = {
  action: 'skip',
  type: 'other_settings',
  message: 'its summary was made with other settings and is kept',
}

/** The outcome of such a document if its summary is kept before anything is read. */
export const otherSettingsOutcome = {
  status: 'skipped',
  type: otherSettingsProblem.type,
  reason: otherSettingsProblem.message,
} as const

/** The problem of a document that has a result of the API, in a simulated run. */
export const notSimulatedProblem: InputProblem = {
  action: 'skip',
  type: 'not_simulated',
  message: 'it has a result of the API, which a simulated run does not replace',
}

/** The type of a skipped outcome of a document that failed in an earlier run and would fail again. */
export const failedBeforeType = 'failed_before'

/**
 * Returns the problem of a document that would fail again.
 * @param reason how it failed, such as `refused`
 */
export function createFailedBeforeProblem(reason: string): InputProblem {
  return {
    action: 'skip',
    type: failedBeforeType,
    message: `it failed before (${reason}), and neither it nor the settings changed`,
  }
}

/**
 * Returns the problem of a document for which another one with the same content failed in an earlier run. It gets an error
 * record too.
 * @param error of that failure, which would repeat
 */
export function createFailedForOtherProblem({
  kind,
  type,
  message,
}: Pick<InputProblem, 'type' | 'message'> & { readonly kind: string | number }): InputProblem {
  return { action: 'fail', kind: typeof kind === 'number' ? kind : 'reply', type, message }
}
