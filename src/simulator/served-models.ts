interface ServedModel {
  readonly context: number
  readonly maxOutput: number
  readonly charsPerToken: number
  readonly efforts: readonly string[]
  /** The types of `thinking` it accepts, beside leaving it out. */
  readonly thinking: readonly string[]
}

const toHigh = ['low', 'medium', 'high']
const noXhigh = [...toHigh, 'max']
const toMax = [...toHigh, 'xhigh', 'max']

const large = { context: 1_000_000, maxOutput: 128_000, charsPerToken: 2.5 }
const earlier = {
  ...large,
  charsPerToken: 3.5,
  efforts: noXhigh,
  thinking: ['adaptive', 'enabled', 'disabled'],
}
const older = {
  context: 200_000,
  maxOutput: 64_000,
  charsPerToken: 3.5,
  efforts: [],
  thinking: ['enabled', 'disabled'],
}

/**
 * What the service accepts of whom; kept apart from the tool's own table, so that a wrong belief there is found here.
 * @see https://platform.claude.com/docs/en/models/overview
 */
export const models: Readonly<Record<string, ServedModel>> = {
  'claude-haiku-5-5': { ...large, efforts: toMax, thinking: ['adaptive', 'disabled'] },
  'claude-sonnet-5-5': { ...large, efforts: toMax, thinking: ['adaptive', 'between_tools'] },
  'claude-opus-5-5': { ...large, efforts: toMax, thinking: ['adaptive'] },
  'claude-fable-5-1': { ...large, efforts: toMax, thinking: ['adaptive'] },
  'claude-mythos-5-1': { ...large, efforts: toMax, thinking: ['adaptive'] },
  'claude-opus-5': { ...large, efforts: toMax, thinking: ['adaptive', 'disabled'] },
  'claude-sonnet-5': { ...large, efforts: toMax, thinking: ['adaptive', 'disabled'] },
  'claude-fable-5': { ...large, efforts: toMax, thinking: ['adaptive'] },
  'claude-mythos-5': { ...large, efforts: toMax, thinking: ['adaptive'] },
  'claude-opus-4-8': { ...large, efforts: toMax, thinking: ['adaptive', 'disabled'] },
  'claude-opus-4-7': { ...large, efforts: toMax, thinking: ['adaptive', 'disabled'] },
  'claude-opus-4-6': earlier,
  'claude-sonnet-4-6': earlier,
  'claude-opus-4-5': { ...older, efforts: toHigh },
  'claude-opus-4-5-20251101': { ...older, efforts: toHigh },
  'claude-haiku-4-5': older,
  'claude-haiku-4-5-20251001': older,
  'claude-sonnet-4-5': older,
  'claude-sonnet-4-5-20250929': older,
}
