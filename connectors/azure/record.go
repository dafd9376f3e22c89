package azure

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

func ref(kind connector.EntityKind, id string) connector.Ref {
	return connector.Ref{Kind: kind, ID: strings.ToLower(id)}
}

func accountRef(id string) connector.Ref     { return ref(connector.Account, id) }
func principalRef(id string) connector.Ref   { return ref(connector.Principal, id) }
func entitlementRef(id string) connector.Ref { return ref(connector.Entitlement, id) }
func resourceRef(id string) connector.Ref    { return ref(connector.Resource, id) }
func boundaryRef(id string) connector.Ref    { return ref(connector.CloudAccountBoundary, id) }

// attributes makes a JSON object of the fields that are set, as
// [records.Attributes] does; what is false is not set: Microsoft leaves most of it
// out.
func attributes(fields map[string]any, spare ...string) json.RawMessage {
	maps.DeleteFunc(fields, func(_ string, v any) bool { return v == false })
	return records.Attributes(fields, spare...)
}

// actions keeps a role's list within the contract; a longer one says so.
func actions(list []string) ([]string, bool) {
	if len(list) > connector.MaxActions {
		return list[:connector.MaxActions], true
	}
	return list, false
}

// directoryObject is a member, an owner or a principal: one whose type the identity
// may not read has nothing but type and id, which is all that is needed.
type directoryObject struct {
	Type string `json:"@odata.type"`
	ID   string `json:"id"`
}

// The types of directory objects that act.
const (
	typeUser             = "#microsoft.graph.user"
	typeGroup            = "#microsoft.graph.group"
	typeServicePrincipal = "#microsoft.graph.servicePrincipal"
)

// give adds that a directory object has an entitlement: an account has it assigned,
// a group includes it. Others, such as devices, do not act and are left out.
func give(b *records.Writer, who directoryObject, what connector.Ref, key string, terms *connector.Terms, attributes json.RawMessage) {
	r := connector.Relationship{To: what, Key: key, Terms: terms, Attributes: attributes}
	switch who.Type {
	case typeUser, typeServicePrincipal:
		r.Kind, r.From = connector.AccountAssignedEntitlement, accountRef(who.ID)
	case typeGroup:
		r.Kind, r.From = connector.EntitlementIncludesEntitlement, entitlementRef(who.ID)
	default:
		return
	}
	b.Relationship(r)
}

// principalType makes a directory object of an assignment's principal.
func principalType(kind, id string) directoryObject {
	switch kind {
	case "Group", "ForeignGroup":
		return directoryObject{typeGroup, id}
	case "ServicePrincipal":
		return directoryObject{typeServicePrincipal, id}
	case "User":
		return directoryObject{typeUser, id}
	}
	return directoryObject{ID: id}
}

// ownership adds the entitlement of a directory object's owners, and who they are.
func ownership(b *records.Writer, owners []directoryObject, of connector.Ref, name, kind string, actions ...string) {
	if len(owners) == 0 {
		return
	}
	entitlement := entitlementRef(of.ID + "/owners")
	b.Once(connector.Entity{Ref: entitlement, Name: records.Name("Owner of " + name), Type: kind})
	b.Relationship(connector.Relationship{Kind: connector.EntitlementGrantsResource, From: entitlement, To: of, Terms: &connector.Terms{Actions: actions}})
	for _, o := range owners {
		give(b, o, entitlement, "", nil, nil)
	}
}
