package api

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// sources tells where requests come from.
type sources struct {
	// proxies may say in X-Forwarded-For whom they speak for.
	proxies []netip.Prefix
}

// ParseProxies reads addresses and networks, such as 10.0.0.0/8.
func ParseProxies(texts []string) ([]netip.Prefix, error) {
	var proxies []netip.Prefix
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil {
			address = address.Unmap()
			proxies = append(proxies, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("trusted proxy %q: want an address or a network, such as 10.0.0.0/8", text)
		}
		proxies = append(proxies, prefix.Masked())
	}
	return proxies, nil
}

// of returns the address that a request comes from: the connection's or, behind
// proxies that are trusted, the last one that they vouch for.
func (s sources) of(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	// An address that cannot be read is the zero one, which all such share.
	from, _ := netip.ParseAddr(host)
	from = plain(from)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(from); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		from = plain(hop)
	}
	return from
}

func (s sources) trusts(a netip.Addr) bool {
	for _, p := range s.proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// bucketOf returns what the limits of an address are counted by: one customer of
// an IPv6 network has a /64 of addresses to choose from.
func bucketOf(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	const customer = 64
	prefix, err := a.Prefix(customer)
	if err != nil {
		return a
	}
	return prefix.Addr()
}

func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
