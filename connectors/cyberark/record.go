package cyberark

import (
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
)

// ref names an entity. CyberArk writes the same id in different letters in different
// places.
func ref(kind connector.EntityKind, id string) connector.Ref {
	return connector.Ref{Kind: kind, ID: strings.ToLower(id)}
}

func accountRef(id string) connector.Ref     { return ref(connector.Account, id) }
func principalRef(id string) connector.Ref   { return ref(connector.Principal, id) }
func entitlementRef(id string) connector.Ref { return ref(connector.Entitlement, id) }
func resourceRef(id string) connector.Ref    { return ref(connector.Resource, id) }
func boundaryRef(id string) connector.Ref    { return ref(connector.CloudAccountBoundary, id) }

// rightRef is an administrative right, by its path.
func rightRef(path string) connector.Ref { return entitlementRef("rights/" + path) }

// moment is a time in CyberArk's form, /Date(1436985457356)/, in milliseconds since
// 1970. It is nil when there is none that can be read, as for who never signed in.
func moment(text *string) *time.Time {
	if text == nil {
		return nil
	}
	digits, opened := strings.CutPrefix(*text, "/Date(")
	digits, closed := strings.CutSuffix(digits, ")/")
	milliseconds, err := strconv.ParseInt(digits, 10, 64)
	if !opened || !closed || err != nil || milliseconds <= 0 {
		return nil
	}
	t := time.UnixMilli(milliseconds).UTC()
	return &t
}

// The kinds of members of roles, and of those whom applications are granted to.
const (
	memberUser  = "user"
	memberGroup = "group"
	memberRole  = "role"
)
