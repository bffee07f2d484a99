import { BlockList, isIP } from 'node:net'

/**
 * Whether requests to a host stay on this machine or on a network that is not routed on the internet. Such
 * hosts are `localhost` and names below it (RFC 6761), and loopback, private (RFC 1918, RFC 4193) and
 * link-local addresses. IPv4-mapped IPv6 addresses are treated as IPv4 addresses. Every other name is public,
 * even if it begins like an address or ends in `.internal`, because only its owner knows its address.
 * @param host as a URL parser spells it, without a final dot; see `extractHost`
 */
export function isPrivateHost(host: string): boolean {
  return isLoopbackHost(host) || isAddressInSubnets(host, privateSubnets)
}

/**
 * Whether a host is this machine: the name `localhost`, names below it (RFC 6761), and loopback addresses.
 * @param host as a URL parser spells it, without a final dot; see `extractHost`
 */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || isAddressInSubnets(host, loopbackSubnets)
}

type Subnet = readonly [network: string, prefix: number, family: 'ipv4' | 'ipv6']

const loopbackSubnets: readonly Subnet[] = [
  ['127.0.0.0', 8, 'ipv4'],
  ['::1', 128, 'ipv6'],
]

/**
 * Networks that are not routed on the internet. Not included: 100.64.0.0/10 (RFC 6598), which is the network
 * of an internet provider, and 64:ff9b::/96, which a translator may forward to the internet.
 */
const privateSubnets: readonly Subnet[] = [
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
]

/**
 * Whether a host is an address in one of some networks. A host name is in no network.
 * @param host as a URL parser spells it
 */
export function isAddressInSubnets(host: string, subnets: readonly Subnet[]): boolean {
  const address = host.replace(/^\[|\]$/g, '')
  const version = isIP(address)
  if (version === 0) return false
  const list = new BlockList()
  for (const [network, prefix, family] of subnets) list.addSubnet(network, prefix, family)
  return list.check(address, version === 6 ? 'ipv6' : 'ipv4')
}
