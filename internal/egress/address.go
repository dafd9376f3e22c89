package egress

import "net/netip"

// rules are the address ranges that are not plain public addresses. Built once
// per transport.
type rules struct {
	metadata, private, reserved []netip.Prefix
	globalIPv6                  netip.Prefix
	nat64, sixToFour            netip.Prefix
}

// newRules follows the IANA special-purpose address registries (RFC 6890 and
// its updates) and the clouds' documentation of their metadata services.
func newRules() rules {
	return rules{
		metadata: prefixes(
			"169.254.169.254/32", // AWS, Azure, Google Cloud, OpenStack, Oracle
			"169.254.169.253/32", // AWS DNS
			"169.254.170.2/32",   // AWS ECS task credentials
			"169.254.170.23/32",  // AWS EKS pod identity
			"168.63.129.16/32",   // Azure platform
			"100.100.100.200/32", // Alibaba Cloud
			"192.0.0.192/32",     // Oracle Cloud
			"fd00:ec2::/32",      // AWS: metadata ::254, DNS ::253, EKS ::23
			"fd20:ce::254/128",   // Google Cloud
			"fd00:c1::/32",       // Oracle Cloud: metadata ::a9fe:a9fe
			"fd00:42::42/128",    // Scaleway
		),
		private: prefixes(
			"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // RFC 1918
			"100.64.0.0/10", // RFC 6598, shared address space
			"127.0.0.0/8",
			"::1/128",
			"fc00::/7", // RFC 4193, unique local
		),
		reserved: prefixes(
			"0.0.0.0/8",       // "this host": Linux connects it to loopback
			"169.254.0.0/16",  // link-local
			"192.0.0.0/24",    // IETF protocol assignments
			"192.0.2.0/24",    // documentation
			"192.88.99.0/24",  // 6to4 relay anycast
			"198.18.0.0/15",   // benchmarking
			"198.51.100.0/24", // documentation
			"203.0.113.0/24",  // documentation
			"224.0.0.0/4",     // multicast
			"240.0.0.0/4",     // reserved, and broadcast
			"2001::/23",       // IETF protocol assignments: Teredo, ORCHID, benchmarking
			"2001:db8::/32",   // documentation
			"3fff::/20",       // documentation
		),
		// All other IPv6 unicast space is unassigned, link-local, site-local or
		// one of the forms below.
		globalIPv6: netip.MustParsePrefix("2000::/3"),
		nat64:      netip.MustParsePrefix("64:ff9b::/96"),
		sixToFour:  netip.MustParsePrefix("2002::/16"),
	}
}

func prefixes(texts ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		parsed[i] = netip.MustParsePrefix(text)
	}
	return parsed
}

// check returns the reason why address must not be reached, or "".
func (r rules) check(address netip.Addr, allowPrivate bool) Reason {
	address = r.effective(address)
	switch {
	case !address.IsValid():
		return ReasonReserved
	case contains(r.metadata, address):
		return ReasonMetadata
	case contains(r.private, address):
		if allowPrivate {
			return ""
		}
		return ReasonPrivate
	case contains(r.reserved, address), address.Is6() && !r.globalIPv6.Contains(address):
		return ReasonReserved
	default:
		return ""
	}
}

// effective returns the address that packets for address end up at: the IPv4
// address inside an IPv4-mapped, NAT64 or 6to4 one.
func (r rules) effective(address netip.Addr) netip.Addr {
	// A zone would keep the address out of every prefix.
	address = address.WithZone("").Unmap()
	if !address.Is6() {
		return address
	}
	bytes := address.As16()
	switch {
	case r.nat64.Contains(address):
		return netip.AddrFrom4([4]byte(bytes[12:16]))
	case r.sixToFour.Contains(address):
		return netip.AddrFrom4([4]byte(bytes[2:6]))
	default:
		return address
	}
}

func contains(ranges []netip.Prefix, address netip.Addr) bool {
	for _, prefix := range ranges {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}
