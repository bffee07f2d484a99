/** The language and length that flags ask for. */
export interface OutputConstraints {
  /** English name of the language: `German`. */
  readonly language?: string
  /** Approximate number. */
  readonly words?: number
}

/** Returns the instructions to append to a prompt; empty if there are no constraints. */
export function formatConstraints({ language, words }: OutputConstraints): string {
  const instructions = [
    ...(language === undefined ? [] : [`Write in ${language}, whatever the language of the document.`]),
    ...(words === undefined ? [] : [`Write about ${words} words.`]),
  ]
  if (instructions.length === 0) return ''
  const subjects = [language !== undefined && 'language', words !== undefined && 'length'].filter(Boolean)
  return `\n\n${instructions.join(' ')} This overrides everything above about ${subjects.join(' and ')}.`
}
