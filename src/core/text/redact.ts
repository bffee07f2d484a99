/** Removes secrets from text. */
export interface Redactor {
  /** Adds a secret that {@link Redactor.redact} replaces from now on. Too short ones would match ordinary words. */
  add(secret: string): void
  /** Returns the text with `[key]` in place of every secret, and of everything else that looks like an API key. */
  redact(text: string): string
}

/** Creates a redactor of these secrets, as they are, URL-encoded, JSON-escaped, or anywhere in base64. */
export function createRedactor(secrets: Iterable<string> = []): Redactor {
  const forms = new Set<string>()
  let pattern = buildPattern(forms)
  const add = (secret: string) => {
    if (secret.length < minSecretLength || forms.has(secret)) return
    for (const form of listEncodedForms(secret)) forms.add(form)
    pattern = buildPattern(forms)
  }
  for (const secret of secrets) add(secret)
  return { add, redact: (text) => text.replace(pattern, '[key]') }
}

/** Characters. */
const minSecretLength = 6

function listEncodedForms(secret: string): string[] {
  const base64 = listBase64Forms(secret)
  const base64Url = base64.map((part) => part.replaceAll('+', '-').replaceAll('/', '_'))
  const escaped = JSON.stringify(secret).slice(1, -1)
  return [secret, encodeURIComponent(secret.replace(/\p{Cs}/gu, '\ufffd')), escaped, ...base64, ...base64Url]
}

/**
 * What of the base64 of a longer text shows that it holds the secret: three bytes become four characters, so there are
 * three ways, and the characters at either end depend on what surrounds the secret.
 */
function listBase64Forms(secret: string): string[] {
  return [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.from(' '.repeat(before) + secret)
    const part = bytes
      .toString('base64')
      .slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6))
    return part.length < minSecretLength ? [] : [part]
  })
}

/** Upper and lower case do not matter: hosts lose theirs. The longest form comes first, since it may hold others. */
function buildPattern(forms: ReadonlySet<string>): RegExp {
  const literals = [...forms]
    .sort((a, b) => b.length - a.length)
    .map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
  return new RegExp([...literals, String.raw`sk-ant-[\w-]+`].join('|'), 'gi')
}
