package azure

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

type denyPrincipal struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

type denyAssignment struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Properties struct {
		DisplayName string            `json:"denyAssignmentName"`
		Description string            `json:"description"`
		Scope       string            `json:"scope"`
		Permissions []azurePermission `json:"permissions"`
		Principals  []denyPrincipal   `json:"principals"`
		Excluded    []denyPrincipal   `json:"excludePrincipals"`
		NotBelow    bool              `json:"doNotApplyToChildScopes"`
		Protected   bool              `json:"isSystemProtected"`
	} `json:"properties"`
}

// everyone is the principal that stands for all of the tenant.
const everyone = "00000000-0000-0000-0000-000000000000"

func (s *session) deniesCall(sc armScope) call {
	c := s.assignmentsCall(sc, "denyAssignments", versionAuthorization)
	c.permission = permDenyAssignments
	return c
}

// readDenies adds what is denied at a scope and beneath it, and to whom.
func (s *session) readDenies(ctx context.Context, key string, _ records.Place, b *records.Writer) error {
	sc, found, err := s.scopeOf(ctx, key)
	if err != nil {
		return err
	}
	if err := b.At(records.Place{Step: "all"}); err != nil {
		return err
	}
	denies, err := all[denyAssignment](ctx, s, s.deniesCall(sc))
	if err := gapOrFail(b, err); err != nil || len(denies) == 0 {
		return err
	}
	view := &scopeView{session: s, scope: sc, found: found, b: b}
	view.noteBlindness()
	if err := view.findTargets(ctx, nil); err != nil {
		return err
	}
	slices.SortFunc(denies, func(x, y denyAssignment) int { return strings.Compare(x.ID, y.ID) })
	for _, d := range denies {
		view.addDeny(d)
	}
	return b.Err()
}

func (v *scopeView) addDeny(d denyAssignment) {
	p := d.Properties
	at := strings.ToLower(p.Scope)
	if at == "" {
		at = rootScope
	}
	from := v.inherited(at)
	own := !from || at == rootScope && v.atRoot() || v.scope.subscription != "" && v.found.blind
	if !own && v.scope.subscription == "" {
		return
	}
	id := entitlementRef(d.ID)
	if own {
		v.addTarget(at)
		v.addDenied(d, id)
		if !from {
			v.deny(id, at, p.Permissions, "")
		}
	}
	if p.NotBelow || v.scope.subscription == "" {
		return
	}
	if from {
		v.deny(id, v.scope.path, p.Permissions, connector.Inherited)
	}
	for _, target := range v.targets {
		if from || isAbove(at, target) {
			v.deny(id, target, p.Permissions, connector.Inherited)
		}
	}
}

// addDenied adds a deny assignment and whom it is for.
func (v *scopeView) addDenied(d denyAssignment, id connector.Ref) {
	p := d.Properties
	var excepted []string
	for _, x := range p.Excluded {
		excepted = append(excepted, strings.ToLower(x.ID))
	}
	slices.Sort(excepted)
	v.b.Entity(connector.Entity{
		Ref: id, Name: records.Name(p.DisplayName), Type: "deny_assignment",
		Attributes: attributes(map[string]any{"description": records.Clip(p.Description, 4096), "scope": strings.ToLower(p.Scope), "excepted": excepted, "system_protected": p.Protected, "not_below": p.NotBelow}, "excepted"),
	})
	terms := &connector.Terms{Effect: connector.Deny}
	if len(excepted) > 0 {
		terms.Conditions = conditions(map[string][]string{"except": excepted[:min(len(excepted), 1000)]})
	}
	for _, who := range p.Principals {
		if who.ID == everyone {
			v.b.Once(connector.Entity{Ref: principalRef(everyone), Name: "Everyone", Type: "everyone"})
			v.b.Once(connector.Entity{Ref: accountRef(everyone), Name: "Everyone", Type: "everyone"})
			v.b.Relate(connector.PrincipalRepresentsAccount, principalRef(everyone), accountRef(everyone))
			v.b.Relationship(connector.Relationship{Kind: connector.AccountAssignedEntitlement, From: accountRef(everyone), To: id, Terms: terms})
			continue
		}
		give(v.b, principalType(who.Type, who.ID), id, "", terms, nil)
	}
}

func (v *scopeView) deny(id connector.Ref, on string, permissions []azurePermission, given connector.Given) {
	for i, p := range permissions {
		v.permit(id, on, "actions/"+strconv.Itoa(i), p.Actions, p.NotActions, connector.Deny, given)
		v.permit(id, on, "data/"+strconv.Itoa(i), p.DataActions, p.NotDataActions, connector.Deny, given)
	}
}
