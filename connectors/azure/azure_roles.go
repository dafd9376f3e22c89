package azure

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

type azurePermission struct {
	Actions        []string `json:"actions"`
	NotActions     []string `json:"notActions"`
	DataActions    []string `json:"dataActions"`
	NotDataActions []string `json:"notDataActions"`
}

type azureRole struct {
	Name       string `json:"name"` // its id
	Properties struct {
		RoleName    string            `json:"roleName"`
		Description string            `json:"description"`
		Type        string            `json:"type"`
		Permissions []azurePermission `json:"permissions"`
	} `json:"properties"`
}

type azureAssignment struct {
	Name       string `json:"name"`
	Properties struct {
		Scope            string     `json:"scope"`
		Role             string     `json:"roleDefinitionId"`
		Principal        string     `json:"principalId"`
		Type             string     `json:"principalType"`
		Condition        string     `json:"condition"`
		ConditionVersion string     `json:"conditionVersion"`
		MemberType       string     `json:"memberType"`
		Created          *time.Time `json:"createdOn"`
		End              *time.Time `json:"endDateTime"`
	} `json:"properties"`
}

func lastSegment(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// definitionsAt returns the roles that can be had at a scope, by id: Azure's own,
// which are the same everywhere and are read once per session, and the tenant's.
func (s *session) definitionsAt(ctx context.Context, sc armScope) (map[string]azureRole, error) {
	list := func(kind string) ([]azureRole, error) {
		return all[azureRole](ctx, s, s.arm(sc.path+"/providers/Microsoft.Authorization/roleDefinitions", permRoleDefinitions, onScope(sc), versionAuthorization, "type eq '"+kind+"'", sc.subscription))
	}
	if s.builtIn == nil {
		found, err := list("BuiltInRole")
		if err != nil {
			return nil, err
		}
		s.builtIn = map[string]azureRole{}
		for _, r := range found {
			s.builtIn[strings.ToLower(r.Name)] = r
		}
	}
	custom, err := list("CustomRole")
	if err != nil {
		return nil, err
	}
	known := make(map[string]azureRole, len(s.builtIn)+len(custom))
	for id, r := range s.builtIn {
		known[id] = r
	}
	for _, r := range custom {
		known[strings.ToLower(r.Name)] = r
	}
	return known, nil
}

func onScope(sc armScope) string {
	if sc.subscription != "" {
		return "subscription " + sc.subscription
	}
	return "management group " + lastSegment(sc.path)
}

// readAzureRoles adds who has which role at a management group, or at a
// subscription and within it.
func (s *session) readAzureRoles(ctx context.Context, key string, _ records.Place, b *records.Writer) error {
	return s.readAssignments(ctx, key, b, "roleAssignments", versionAuthorization, false)
}

// readEligibleAzure adds who may activate one.
func (s *session) readEligibleAzure(ctx context.Context, key string, _ records.Place, b *records.Writer) error {
	return s.readAssignments(ctx, key, b, "roleEligibilityScheduleInstances", versionEligible, true)
}

func (s *session) assignmentsCall(sc armScope, kind, version string) call {
	filter := ""
	if sc.subscription == "" {
		// At a management group: what is beneath is asked for there.
		filter = "atScope()"
	}
	return s.arm(sc.path+"/providers/Microsoft.Authorization/"+kind, permRoleAssignments, onScope(sc), version, filter, sc.subscription)
}

// readAssignments reads a scope whole: Azure allows 500 assignments at a management
// group and 4,000 in a subscription.
func (s *session) readAssignments(ctx context.Context, key string, b *records.Writer, kind, version string, eligible bool) error {
	sc, found, err := s.scopeOf(ctx, key)
	if err != nil {
		return err
	}
	if err := b.At(records.Place{Step: "all"}); err != nil {
		return err
	}
	assignments, err := all[azureAssignment](ctx, s, s.assignmentsCall(sc, kind, version))
	if err := gapOrFail(b, err); err != nil || len(assignments) == 0 {
		return err
	}
	roles, err := s.definitionsAt(ctx, sc)
	if err := gapOrFail(b, err); err != nil {
		return err
	}
	view := &scopeView{session: s, scope: sc, found: found, roles: roles, b: b}
	view.noteBlindness()
	if err := view.findTargets(ctx, assignments); err != nil {
		return err
	}
	slices.SortFunc(assignments, func(x, y azureAssignment) int { return strings.Compare(x.Name, y.Name) })
	for _, a := range assignments {
		view.addAssignment(a, eligible)
	}
	return b.Err()
}

// scopeOf finds the scope of a partition.
func (s *session) scopeOf(ctx context.Context, key string) (armScope, *scopes, error) {
	found, err := s.listScopes(ctx)
	if err != nil {
		return armScope{}, nil, err
	}
	for _, sc := range found.all {
		if sc.path == key {
			return sc, found, nil
		}
	}
	return armScope{}, nil, &connector.Error{Category: connector.ProviderUnavailable, Message: "the scope " + records.Clip(key, 256) + " is not visible any more; the next run reads the others"}
}

// scopeView is a partition on its way: what is at one scope, and beneath it.
type scopeView struct {
	session *session
	scope   armScope
	found   *scopes
	roles   map[string]azureRole
	b       *records.Writer
	// targets are what inherits: resource groups, and resources that assignments name.
	targets []string
}

// findTargets notes what inherits what is assigned above it, and adds the resources
// that assignments name.
func (v *scopeView) findTargets(ctx context.Context, assignments []azureAssignment) error {
	if v.scope.subscription == "" {
		return nil
	}
	groups, err := v.session.groupsOf(ctx, v.scope.path)
	if err := gapOrFail(v.b, err); err != nil {
		return err
	}
	for _, g := range groups {
		v.targets = append(v.targets, strings.ToLower(g.ID))
	}
	for _, a := range assignments {
		v.addTarget(strings.ToLower(a.Properties.Scope))
	}
	slices.Sort(v.targets)
	v.targets = slices.Compact(v.targets)
	return nil
}

// noteBlindness makes a partition partial that shows what management groups would.
func (v *scopeView) noteBlindness() {
	if v.found.blind {
		v.b.Gap(*v.found.shut)
	}
}

// addTarget takes a resource that is named somewhere.
func (v *scopeView) addTarget(at string) {
	parts := strings.Split(at, "/")
	if !strings.HasPrefix(at, v.scope.path+"/resourcegroups/") || len(parts) < 7 {
		return
	}
	v.targets = append(v.targets, at)
	if v.b.Has(resourceRef(at)) {
		return
	}
	v.b.Once(connector.Entity{Ref: resourceRef(at), Name: records.Name(parts[len(parts)-1]), Type: resourceType(parts)})
	v.b.Relate(connector.BoundaryContains, boundaryRef(strings.Join(parts[:5], "/")), resourceRef(at))
}

// resourceType is the type in a resource's id: the provider, and each second
// segment after it.
func resourceType(parts []string) string {
	for i := len(parts) - 2; i > 4; i-- {
		if parts[i] == "providers" && i+1 < len(parts) {
			kind := parts[i+1]
			for n := i + 2; n < len(parts)-1; n += 2 {
				kind += "/" + parts[n]
			}
			return records.Name(kind)
		}
	}
	return "azure_resource"
}

// isAbove reports whether a scope contains another, both in lower case.
func isAbove(scope, of string) bool {
	return scope == rootScope || strings.HasPrefix(of, scope+"/")
}

// inherited reports whether a scope is not within the partition's.
func (v *scopeView) inherited(at string) bool {
	return at != v.scope.path && !strings.HasPrefix(at, v.scope.path+"/")
}

// atRoot reports whether the partition is that of the root management group, which
// also carries what is assigned above it.
func (v *scopeView) atRoot() bool {
	return v.scope.path == v.found.root
}

// addAssignment adds an assignment that belongs to the partition, and what it comes
// to beneath. What is assigned at a management group is said once, by its own
// partition, unless none can be read.
func (v *scopeView) addAssignment(a azureAssignment, eligible bool) {
	at := strings.ToLower(a.Properties.Scope)
	if at == "" {
		at = rootScope
	}
	from := v.inherited(at)
	own := !from || at == rootScope && v.atRoot() || v.scope.subscription != "" && v.found.blind
	if !own && v.scope.subscription == "" {
		return
	}
	role := v.roles[strings.ToLower(lastSegment(a.Properties.Role))]
	if role.Name == "" {
		role.Name = lastSegment(a.Properties.Role)
	}
	id := roleAt(at, role.Name)
	first := !v.b.Has(id)
	if own {
		v.addRole(id, at, role, first && !from)
		terms := &connector.Terms{ExpiresAt: a.Properties.End}
		key := "assigned/" + strings.ToLower(a.Name)
		if eligible {
			terms.Given, key = connector.Eligible, "eligible/"+strings.ToLower(a.Name)
		}
		if c := a.Properties.Condition; c != "" {
			terms.Conditions = conditions(map[string]string{"condition": records.Clip(c, 16<<10), "version": a.Properties.ConditionVersion})
		}
		give(v.b, principalType(a.Properties.Type, a.Properties.Principal), entitlementRef(id.ID), key, terms, attributes(map[string]any{"created_at": a.Properties.Created}))
	}
	if !first || v.scope.subscription == "" {
		return
	}
	v.b.Mark(id)
	if from {
		v.grant(id, v.scope.path, role, connector.Inherited)
	}
	for _, target := range v.targets {
		if from || isAbove(at, target) {
			v.grant(id, target, role, connector.Inherited)
		}
	}
}

// roleAt names a role at a scope.
func roleAt(at, role string) connector.Ref {
	return entitlementRef(strings.TrimSuffix(at, "/") + "/providers/microsoft.authorization/roledefinitions/" + role)
}

// addRole adds a role at a scope once, and what it allows there.
func (v *scopeView) addRole(id connector.Ref, at string, role azureRole, here bool) {
	if v.b.Has(id) {
		return
	}
	p := role.Properties
	name := p.RoleName
	if name == "" {
		name = role.Name
	}
	where := lastSegment(at)
	if at == rootScope {
		where = "the root"
	}
	v.b.Entity(connector.Entity{
		Ref: id, Name: records.Name(name + " at " + where), Type: "azure_role",
		Attributes: attributes(map[string]any{"role": p.RoleName, "description": records.Clip(p.Description, 4096), "custom": p.Type == "CustomRole", "role_definition_id": role.Name, "scope": at}),
	})
	if here || v.scope.subscription == "" || at == rootScope {
		v.grant(id, at, role, "")
	}
	if v.scope.subscription == "" {
		v.b.Mark(id)
	}
}

// grant adds what a role allows on a thing: a relationship for each set of actions,
// and one for each set of actions on data.
func (v *scopeView) grant(id connector.Ref, on string, role azureRole, given connector.Given) {
	for i, p := range role.Properties.Permissions {
		v.permit(id, on, "actions/"+strconv.Itoa(i), p.Actions, p.NotActions, "", given)
		v.permit(id, on, "data/"+strconv.Itoa(i), p.DataActions, p.NotDataActions, "", given)
	}
	if role.Properties.RoleName == "" {
		// What an unknown role allows is not known; that it is had there, is.
		v.b.Relationship(connector.Relationship{Kind: connector.EntitlementGrantsResource, From: id, To: resourceRef(on), Key: "unknown", Terms: &connector.Terms{Given: given}})
	}
}

// permit adds what a set of actions comes to on a thing; nothing for none.
func (v *scopeView) permit(id connector.Ref, on, key string, allowed, except []string, effect connector.Effect, given connector.Given) {
	if len(allowed) == 0 {
		return
	}
	terms := &connector.Terms{Effect: effect, Given: given}
	terms.Actions, _ = actions(allowed)
	terms.NotActions, _ = actions(except)
	v.b.Relationship(connector.Relationship{Kind: connector.EntitlementGrantsResource, From: id, To: resourceRef(on), Key: key, Terms: terms})
}
