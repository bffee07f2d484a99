import { checkQuality } from '../../core/document/quality-checks.ts'
import type { AnswerChecks, AnswerSettings } from '../../core/request/answer-settings.ts'
import { createSchemaCheck } from './schema-check.ts'

/**
 * Prepares the checks that answers of these settings go through.
 * @param schemaSource the schema comes from, for people
 * @throws UsageError where the schema cannot be used
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
  // The tables of languages are loaded only where one was asked for.
  const isInLanguage =
    language === undefined ? () => true : (await import('./language.ts')).createLanguageCheck(language)
  return {
    findMismatch: () => undefined,
    checkQuality: (summary, document) => checkQuality(summary, constraints, document, isInLanguage),
  }
}
