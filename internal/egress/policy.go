package egress

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Policy says where outbound connections may go. The zero value allows every
// public address.
type Policy struct {
	// AllowPrivate also allows loopback, private, unique-local and shared
	// (carrier-grade NAT) addresses. It is the operator's choice, by
	// --allow-private-networks; dev and demo set it. Link-local and cloud
	// metadata addresses stay refused.
	AllowPrivate bool

	// AllowedHosts limits connections to these hosts; empty means any. An entry
	// is a host name, an IP address, or "*." and a domain, which stands for
	// every name below that domain and not for the domain itself. Case and a
	// trailing dot do not matter; internationalised names are in their ASCII
	// form. No port, no scheme.
	AllowedHosts []string

	// Resolver is who is asked for the addresses of a name; nil for the system's.
	Resolver *net.Resolver
}

// AnyHost in a list of hosts for [Policy.WithHosts] stands for every host.
const AnyHost = "*"

// WithHosts returns the policy for a connector that calls these hosts of its
// provider, and those that the operator allows beside them. A connector that
// names none, and an operator's [AnyHost], leave the hosts unlimited.
func (p Policy) WithHosts(provider, operator []string) Policy {
	p.AllowedHosts = nil
	if len(provider) > 0 && !slices.Contains(operator, AnyHost) {
		p.AllowedHosts = slices.Concat(provider, operator)
	}
	return p
}

// Validate reports the first entry of AllowedHosts that could match nothing.
func (p Policy) Validate() error {
	for _, pattern := range p.AllowedHosts {
		name := strings.TrimPrefix(normalizeHost(pattern), "*.")
		if _, err := netip.ParseAddr(name); err == nil {
			continue
		}
		if name == "" || strings.ContainsAny(name, "*:/@[] \t?#") || strings.Contains("."+name+".", "..") {
			return fmt.Errorf(`allowed host %q: want a host name, an IP address, or "*." and a domain`, pattern)
		}
	}
	return nil
}

// allowsHost reports whether a connection to host may be tried.
func (p Policy) allowsHost(host string) bool {
	if len(p.AllowedHosts) == 0 {
		return true
	}
	host = normalizeHost(host)
	for _, pattern := range p.AllowedHosts {
		pattern = normalizeHost(pattern)
		if suffix, wildcard := strings.CutPrefix(pattern, "*"); wildcard {
			// The suffix keeps its dot, and a label has to stand before it.
			if len(suffix) > 1 && strings.HasPrefix(suffix, ".") && len(host) > len(suffix) && strings.HasSuffix(host, suffix) {
				return true
			}
			continue
		}
		if pattern == host {
			return true
		}
	}
	return false
}

// normalizeHost gives equal hosts equal spelling.
func normalizeHost(host string) string {
	if address, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return address.Unmap().WithZone("").String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// CheckHost returns a [BlockedError] for a host that is never connected to: one
// that is not on the list, or an address that the policy refuses. A name is
// looked up only when a connection is made, and its addresses are checked then.
func (p Policy) CheckHost(host string) error {
	if !p.allowsHost(host) {
		return &BlockedError{Host: host, Reason: ReasonHost}
	}
	if address, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		if reason := newRules().check(address, p.AllowPrivate); reason != "" {
			return &BlockedError{Host: host, Address: address, Reason: reason}
		}
	}
	return nil
}
