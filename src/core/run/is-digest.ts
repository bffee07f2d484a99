/** Whether the text that a prompt made is a digest, not a summary. @param prompt such as `digest@v1` */
export function isDigest(prompt: string | undefined): boolean {
  return prompt?.startsWith('digest@') === true
}
