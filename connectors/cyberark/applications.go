package cyberark

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

type application struct {
	ID          string `json:"ID"`
	Name        string `json:"Name"`
	Display     string `json:"DisplayName"`
	Description string `json:"Description"`
	AppType     string `json:"AppType"`
	WebAppType  string `json:"WebAppType"`
	State       string `json:"State"`
}

// applications asks for all columns: which there are beside these differs, and a query
// that names one that is not there fails.
func applications() list[application] {
	return list[application]{columns: "*", table: "Application", key: "ID", id: func(a application) string { return a.ID }, right: rightReadSystem}
}

// readApplications reads applications, and of each who may do what with it.
func (s *session) readApplications(ctx context.Context, from records.Place, b *records.Writer) error {
	if err := s.require(ctx, rightReadSystem); err != nil {
		return err
	}
	who, err := s.client.identity(ctx)
	if err != nil {
		return err
	}
	return applications().each(ctx, s, from.Marker, "", func(page []application) error {
		for _, a := range page {
			name := a.Display
			if name == "" {
				name = a.Name
			}
			b.Entity(connector.Entity{
				Ref: resourceRef(a.ID), Name: records.Name(name), Type: "application",
				Attributes: records.Attributes(map[string]any{
					"description": records.Clip(a.Description, 4096), "app_type": a.AppType, "web_app_type": a.WebAppType, "state": a.State,
				}),
			})
			b.Relate(connector.BoundaryContains, boundaryRef(who.tenant), resourceRef(a.ID))
			if err := s.addGrants(ctx, a.ID, name, b); err != nil {
				return err
			}
			if err := b.At(records.Place{Step: "applications", Marker: a.ID}); err != nil {
				return err
			}
		}
		return b.Err()
	})
}

// ace is a grant on an application.
type ace struct {
	Principal string `json:"Principal"`
	Kind      string `json:"PrincipalType"`
	Grant     int64  `json:"Grant"`
	Inherited bool   `json:"Inherited"`
	Type      string `json:"Type"`
}

// holding is what somebody holds of an application, by its own grants or by others.
type holding struct {
	kind, id  string
	inherited bool
}

func (s *session) addGrants(ctx context.Context, id, name string, b *records.Writer) error {
	var found []ace
	of := call{path: pathRowAces, body: map[string]any{"RowKey": id, "Table": "Application", "ReduceSysadmin": true}, pattern: patternRowAces, right: rightReadSystem}
	if err := gapOrFail(b, post(ctx, s.client, of, &found)); err != nil {
		return err
	}
	held := map[holding]int64{}
	for _, g := range found {
		if g.Principal != "" {
			held[holding{strings.ToLower(g.Kind), g.Principal, g.Inherited}] |= g.Grant & (1<<32 - 1)
		}
	}
	order := slices.SortedFunc(maps.Keys(held), func(a, b holding) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.id, b.id), cmp.Compare(strconv.FormatBool(a.inherited), strconv.FormatBool(b.inherited)))
	})
	for _, h := range order {
		s.addGrant(h, held[h], id, name, b)
	}
	return b.Err()
}

// addGrant adds what a role or group grants, or that a user has been given it.
func (*session) addGrant(h holding, bits int64, id, name string, b *records.Writer) {
	actions := grantedActions(bits)
	if len(actions) == 0 {
		return
	}
	terms := connector.Terms{Actions: actions}
	key := ""
	if h.inherited {
		terms.Given, key = connector.Inherited, "inherited"
	}
	grants := connector.Relationship{Kind: connector.EntitlementGrantsResource, To: resourceRef(id), Key: key, Terms: &terms}
	switch h.kind {
	case memberRole, memberGroup:
		grants.From = entitlementRef(h.id)
		b.Relationship(grants)
	case memberUser:
		own := entitlementRef(id + "/permissions/" + strconv.FormatInt(bits, 10) + key)
		grants.From = own
		if !b.Has(own) {
			b.Once(connector.Entity{Ref: own, Name: records.Name(name + ": " + strings.Join(actions, ", ")), Type: "application_permission"})
			b.Relationship(grants)
		}
		b.Relate(connector.AccountAssignedEntitlement, accountRef(h.id), own)
	}
}

// grantedActions are the names of a grant's bits; SDK, bits of rights. "Run" is to
// launch the application.
func grantedActions(bits int64) (actions []string) {
	for _, one := range []struct {
		bit  int64
		name string
	}{
		{1, "Owner"}, {4, "Read"}, {8, "Write"}, {16, "List"}, {32, "Create"}, {64, "Delete"}, {128, "Run"}, {1 << 31, "Automatic"},
	} {
		if bits&one.bit != 0 {
			actions = append(actions, one.name)
		}
	}
	return actions
}
