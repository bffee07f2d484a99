import { doubtsAbout } from '../../core/document/quality-checks.ts'
import type { AnswerChecks, AnswerSettings } from '../../core/request/answer-settings.ts'
import { structureOf } from './schema-file.ts'

/**
 * Prepares the checks that answers of these settings go through.
 * @param where the schema comes from, for people
 * @throws UsageError where the schema cannot be used
 */
export async function answerChecks(
  { schema, language, words }: Pick<AnswerSettings, 'schema' | 'language' | 'words'>,
  where: string,
): Promise<AnswerChecks> {
  if (schema !== undefined) {
    const { flaw } = await structureOf(schema, where)
    return { flaw, doubts: () => [] }
  }
  const wishes = { ...(language !== undefined && { language }), ...(words !== undefined && { words }) }
  // The tables of languages are loaded only where one was asked for.
  const isIn = language === undefined ? () => true : (await import('../read/language.ts')).isInLanguage
  return {
    flaw: () => undefined,
    doubts: (summary, document) => doubtsAbout(summary, wishes, document, isIn),
  }
}
