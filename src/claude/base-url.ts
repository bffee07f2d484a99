/**
 * Returns a base URL in normal form, for requests, messages and hashes: in a URL parser's spelling, without
 * final slashes, and without the path that the SDK appends (`/v1`, `/v1/messages`).
 * @throws TypeError if it is not a URL
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
  // The parser adds a slash to a URL without a path.
  return url.href.replace(/\/$/, '')
}

/**
 * Returns the URL of a request as if the SDK had used the normalized base URL. The base URL of a profile
 * cannot be replaced, because the SDK reads it again before every request.
 */
export function normalizeRequestUrl(url: string): string {
  return url.replace(/\/+v1(?:\/+messages)?\/+v1\//, '/v1/')
}
