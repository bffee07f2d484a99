import { BlockList, isIP } from 'node:net'

/**
 * Returns whether what is sent to a host stays on this machine or on a network that is not routed on the internet: the
 * name `localhost` and names below it (RFC 6761), and loopback, private (RFC 1918, RFC 4193) and link-local addresses.
 * IPv4 addresses mapped into IPv6 count as the IPv4 addresses they are. Every other name is public: nobody but its
 * owner knows where it leads, even if it begins like an address or ends in `.internal`.
 * @param host as a URL parser spells it, without a final dot; see `extractHost`
 */
export function isPrivateHost(host: string): boolean {
  return isLoopbackHost(host) || isAddressInSubnets(host, privateSubnets)
}

/**
 * Returns whether a host is this machine: the name `localhost`, names below it (RFC 6761), and loopback addresses.
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
 * Networks that are not routed on the internet. Not among them: 100.64.0.0/10 (RFC 6598), which leads through the network of an internet provider, and addresses
 * that a translator may carry on to the internet (64:ff9b::/96).
 */
const privateSubnets: readonly Subnet[] = [
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
]

/** Returns whether a host, as a URL parser spells it, is an address in one of some networks; names are in none. */
export function isAddressInSubnets(host: string, subnets: readonly Subnet[]): boolean {
  const address = host.replace(/^\[|\]$/g, '')
  const version = isIP(address)
  if (version === 0) return false
  const list = new BlockList()
  for (const [network, prefix, family] of subnets) list.addSubnet(network, prefix, family)
  return list.check(address, version === 6 ? 'ipv6' : 'ipv4')
}
