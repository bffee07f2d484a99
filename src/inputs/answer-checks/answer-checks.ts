import { checkQuality } from '../../core/document/quality-checks.ts'
import type { AnswerChecks, AnswerSettings } from '../../core/request/answer-settings.ts'
import { createSchemaCheck } from './schema-check.ts'

/**
 * Returns the checks for answers to requests with these settings.
 * @param schemaSource where the schema comes from, for messages
 * @throws UsageError if the schema cannot be used
 */
export async function createAnswerChecks(
  { schema, language, words }: Pick<AnswerSettings, 'schema' | 'language' | 'words'>,
  schemaSource: string,
): Promise<AnswerChecks> {
  if (schema !== undefined) {
    const { findMismatch } = await createSchemaCheck(schema, schemaSource)
    return { findMismatch, checkQuality: () => [] }
  }
  const constraints = { ...(language !== undefined && { language }), ...(words !== undefined && { words }) }
  // Loads the language tables only if a language is requested.
  const isInLanguage =
    language === undefined ? () => true : (await import('./language.ts')).createLanguageCheck(language)
  return {
    findMismatch: () => undefined,
    checkQuality: (summary, document) => checkQuality(summary, constraints, document, isInLanguage),
  }
}
