/**
 * Returns the secrets that the environment holds: keys, tokens, the values of headers that are added to every request,
 * and the passwords in URLs, which travel as the base64 of user name and password.
 */
export function secretsIn(env: Readonly<Record<string, string | undefined>>): string[] {
  const value = (name: string) => env[name]?.trim() ?? ''
  const headers = value('ANTHROPIC_CUSTOM_HEADERS')
    .split('\n')
    .filter((line) => line.includes(':'))
    .map((line) => withoutScheme(line.slice(line.indexOf(':') + 1).trim()))
  return [...keys.map(value), ...headers, ...urls.flatMap((name) => passwordsIn(value(name)))]
}

/** Returns the credentials in the value of an `Authorization` header; other values are returned as they are. */
export function withoutScheme(value: string): string {
  return value.replace(/^(?:bearer|basic) +/i, '')
}

const keys = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_IDENTITY_TOKEN']
const proxies = ['HTTP_PROXY', 'HTTPS_PROXY']
const urls = ['ANTHROPIC_BASE_URL', ...proxies, ...proxies.map((name) => name.toLowerCase())]

function passwordsIn(text: string): string[] {
  const url = text === '' || text.includes('://') ? text : `http://${text}`
  if (!URL.canParse(url)) return []
  const { username, password } = new URL(url)
  return password === '' ? [] : [password, decoded(password), `${decoded(username)}:${decoded(password)}`]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
