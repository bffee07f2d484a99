/** Removes secrets from text. */
export interface Redactor {
  /**
   * Adds a secret that {@link Redactor.redact} replaces from now on. Ignores secrets of less than six
   * characters, which would match ordinary words.
   */
  add(secret: string): void
  /** Returns the text with `[key]` for every secret, and for everything else that looks like an API key. */
  redact(text: string): string
}

/** Creates a redactor. It also finds secrets that are URL-encoded, JSON-escaped, or part of base64. */
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
 * Returns the parts of a base64 text that show that it contains the secret. Base64 encodes three bytes as
 * four characters, so there are three possible offsets. The characters at both ends depend on the text around
 * the secret.
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

/** Ignores case, because hosts become lower case. Longer forms are first, as they may contain others. */
function buildPattern(forms: ReadonlySet<string>): RegExp {
  const literals = [...forms]
    .sort((a, b) => b.length - a.length)
    .map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
  return new RegExp([...literals, String.raw`sk-ant-[\w-]+`, '(?<=Signature=)[0-9a-f]{64}'].join('|'), 'gi')
}
