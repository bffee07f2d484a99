/**
 * Returns a base URL in the one spelling that requests, messages and hashes use: as a URL parser spells it, without
 * what the SDK appends by itself (`/v1`, `/v1/messages`) and without final slashes.
 * @throws TypeError where it is no URL
 */
export function normalizeBaseUrl(baseUrl: string): string {
  const url = new URL(baseUrl)
  const segments = url.pathname.split('/')
  const dropEmpty = () => {
    while (segments.at(-1) === '') segments.pop()
  }
  dropEmpty()
  if (segments.at(-1) === 'messages' && segments.at(-2) === 'v1') segments.pop()
  if (segments.at(-1) === 'v1') segments.pop()
  dropEmpty()
  url.pathname = segments.join('/')
  // The parser gives a URL without a path a slash.
  return url.href.replace(/\/$/, '')
}

/**
 * Returns the URL of a request as if the SDK had started from the normalized base URL. The base URL of a profile
 * cannot be replaced: the SDK reads it again before every request.
 */
export function normalizeRequestUrl(url: string): string {
  return url.replace(/\/+v1(?:\/+messages)?\/+v1\//, '/v1/')
}
