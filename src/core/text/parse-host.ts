/**
 * Returns the host that `text` names, spelled as a URL parser spells it. That is lower case, punycode, IPv4
 * as four decimal numbers, IPv6 in brackets, without a final dot. This makes two spellings of one host equal.
 * @returns undefined if `text` is not a host, for example a URL, a host with a port, or a pattern
 * @see https://url.spec.whatwg.org/#host-parsing
 */
export function parseHost(text: string): string | undefined {
  const trimmed = text.trim()
  const isBareIpv6 = !trimmed.startsWith('[') && trimmed.split(':').length > 2
  const bracketed = isBareIpv6 ? `[${trimmed}]` : trimmed
  const isHost = bracketed.startsWith('[') ? /^\[[^\]]*\]$/.test(bracketed) : !/[:/?#@\\*\s]/.test(bracketed)
  const url = `http://${bracketed}/`
  return isHost && URL.canParse(url) ? extractHost(new URL(url)) : undefined
}

/** Returns the host of a URL, without the dot that may end a fully qualified name. */
export function extractHost({ hostname }: URL): string {
  return hostname.replace(/\.$/, '')
}
