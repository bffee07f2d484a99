interface ServedModel {
  readonly context: number
  readonly maxOutput: number
  readonly charsPerToken: number
  readonly efforts: readonly string[]
  /** The accepted types of `thinking`; a request may also omit it. */
  readonly thinking: readonly string[]
}

const effortsToHigh = ['low', 'medium', 'high']
const effortsWithoutXhigh = [...effortsToHigh, 'max']
const effortsToMax = [...effortsToHigh, 'xhigh', 'max']

const largeModel = { context: 1_000_000, maxOutput: 128_000, charsPerToken: 2.5 }
const earlierModel = {
  ...largeModel,
  charsPerToken: 3.5,
  efforts: effortsWithoutXhigh,
  thinking: ['adaptive', 'enabled', 'disabled'],
}
const olderModel = {
  context: 200_000,
  maxOutput: 64_000,
  charsPerToken: 3.5,
  efforts: [],
  thinking: ['enabled', 'disabled'],
}

/**
 * The models that the simulator serves, with the limits and values that each accepts. This table is separate
 * from claude-batch's own, so that tests show a wrong assumption there.
 * @see https://platform.claude.com/docs/en/models/overview
 */
export const servedModels: Readonly<Record<string, ServedModel>> = {
  'claude-haiku-5-5': { ...largeModel, efforts: effortsToMax, thinking: ['adaptive', 'disabled'] },
  'claude-sonnet-5-5': { ...largeModel, efforts: effortsToMax, thinking: ['adaptive', 'between_tools'] },
  'claude-opus-5-5': { ...largeModel, efforts: effortsToMax, thinking: ['adaptive'] },
  'claude-fable-5-2': { ...largeModel, efforts: effortsToMax, thinking: ['adaptive'] },
  'claude-mythos-5-2': { ...largeModel, efforts: effortsToMax, thinking: ['adaptive'] },
  'claude-fable-5-1': { ...largeModel, efforts: effortsToMax, thinking: ['adaptive'] },
  'claude-mythos-5-1': { ...largeModel, efforts: effortsToMax, thinking: ['adaptive'] },
  'claude-opus-5': { ...largeModel, efforts: effortsToMax, thinking: ['adaptive', 'disabled'] },
  'claude-sonnet-5': { ...largeModel, efforts: effortsToMax, thinking: ['adaptive', 'disabled'] },
  'claude-fable-5': { ...largeModel, efforts: effortsToMax, thinking: ['adaptive'] },
  'claude-mythos-5': { ...largeModel, efforts: effortsToMax, thinking: ['adaptive'] },
  'claude-opus-4-8': { ...largeModel, efforts: effortsToMax, thinking: ['adaptive', 'disabled'] },
  'claude-opus-4-7': { ...largeModel, efforts: effortsToMax, thinking: ['adaptive', 'disabled'] },
  'claude-opus-4-6': earlierModel,
  'claude-sonnet-4-6': earlierModel,
  'claude-opus-4-5': { ...olderModel, efforts: effortsToHigh },
  'claude-opus-4-5-20251101': { ...olderModel, efforts: effortsToHigh },
  'claude-haiku-4-5': olderModel,
  'claude-haiku-4-5-20251001': olderModel,
  'claude-sonnet-4-5': olderModel,
  'claude-sonnet-4-5-20250929': olderModel,
}
