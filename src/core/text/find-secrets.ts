import { readCustomHeaders } from './custom-headers.ts'

/**
 * Returns the secrets in the environment: keys, tokens, the values of custom headers, and the passwords in
 * URLs. A password is also returned with its user name, because HTTP sends the base64 of both together.
 */
export function findSecrets(env: Readonly<Record<string, string | undefined>>): string[] {
  const value = (name: string) => env[name]?.trim() ?? ''
  const headers = Object.values(readCustomHeaders(env)).map(stripAuthScheme)
  return [
    ...keyVariables.map(value),
    ...headers,
    ...urlVariables.flatMap((name) => findPasswords(value(name))),
  ]
}

/** Returns the credentials in the value of an `Authorization` header; other values are returned unchanged. */
export function stripAuthScheme(value: string): string {
  return value.replace(/^(?:bearer|basic) +/i, '')
}

const keyVariables = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_IDENTITY_TOKEN',
  'ANTHROPIC_AWS_API_KEY',
  'ANTHROPIC_FOUNDRY_API_KEY',
  'AWS_BEARER_TOKEN_BEDROCK',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
]
const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY']
const urlVariables = [
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_AWS_BASE_URL',
  'ANTHROPIC_BEDROCK_BASE_URL',
  'ANTHROPIC_FOUNDRY_BASE_URL',
  'ANTHROPIC_VERTEX_BASE_URL',
  ...proxyVariables,
  ...proxyVariables.map((name) => name.toLowerCase()),
]

function findPasswords(text: string): string[] {
  const url = text === '' || text.includes('://') ? text : `http://${text}`
  if (!URL.canParse(url)) return []
  const { username, password } = new URL(url)
  return password === ''
    ? []
    : [password, decodeIfValid(password), `${decodeIfValid(username)}:${decodeIfValid(password)}`]
}

function decodeIfValid(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
