package egress

import (
	"fmt"
	"net/netip"
)

// Reason says why a connection was refused.
type Reason string

// Reasons.
const (
	// ReasonHost: the host is not on the allow-list.
	ReasonHost Reason = "host_not_allowed"
	// ReasonDowngrade: a redirect leads from HTTPS to plain HTTP.
	ReasonDowngrade Reason = "insecure_redirect"
	// ReasonRedirects: a redirect leads to a redirect, too often.
	ReasonRedirects Reason = "too_many_redirects"
	// ReasonPrivate: the address is loopback, private, unique-local or shared.
	ReasonPrivate Reason = "private_address"
	// ReasonMetadata: the address is a cloud's metadata or credential service.
	ReasonMetadata Reason = "metadata_address"
	// ReasonReserved: the address is unspecified, link-local, multicast or set
	// apart for something else than reaching a host.
	ReasonReserved Reason = "reserved_address"
)

// BlockedError tells that a connection was refused before anything was sent.
// Trying again does not help. net/http wraps it; errors.As finds it.
type BlockedError struct {
	// Host is the name or address that was asked for.
	Host string
	// Address is what it resolved to; the zero value where the host itself was
	// refused. It is for the operator's log: Error leaves it out, so that a
	// user cannot read an internal name's address from the message.
	Address netip.Addr
	// Reason says which rule refused it.
	Reason Reason
}

// Error says what was refused and the way out.
func (e *BlockedError) Error() string {
	switch e.Reason {
	case ReasonHost:
		return fmt.Sprintf("connection to %q refused: the host is not the provider's; "+
			"an operator can allow others for custom endpoints with --endpoint-hosts", e.Host)
	case ReasonDowngrade:
		return fmt.Sprintf("redirect to %q refused: it leads from HTTPS to plain HTTP; use the address that is redirected to, with HTTPS", e.Host)
	case ReasonRedirects:
		return fmt.Sprintf("redirect to %q refused: there were %d before it; use the address that they lead to", e.Host, maxRedirects)
	case ReasonPrivate:
		return fmt.Sprintf("connection to %q refused: it is a private or loopback address; "+
			"an operator can allow these with --allow-private-networks", e.Host)
	case ReasonMetadata:
		return fmt.Sprintf("connection to %q refused: cloud metadata addresses are never allowed, "+
			"not even with --allow-private-networks; use the service's own endpoint", e.Host)
	default:
		return fmt.Sprintf("connection to %q refused: it is a link-local, multicast or reserved address, "+
			"not allowed even with --allow-private-networks; use the service's own endpoint", e.Host)
	}
}
