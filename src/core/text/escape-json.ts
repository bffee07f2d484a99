/**
 * Escapes the control characters that JSON text may contain, so that a terminal can show it. JSON allows them in strings
 * only, where an escape means the same.
 */
export function escapeJson(json: string): string {
  return json.replace(/[\u007f-\u009f]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
}
