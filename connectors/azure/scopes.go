package azure

import (
	"context"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// The versions of Resource Manager's APIs.
const (
	versionSubscriptions  = "2022-12-01"
	versionManagement     = "2020-05-01"
	versionResourceGroups = "2021-04-01"
	versionAuthorization  = "2022-04-01"
	versionEligible       = "2020-10-01"
)

const managementPrefix = "/providers/microsoft.management/managementgroups/"

// armScope is a management group or subscription.
type armScope struct {
	// path is its id in lower case, and parent that of what contains it.
	path, parent, name, state string
	subscription              string // id, empty for a management group
}

// scopes are what Resource Manager shows of the tenant, by path.
type scopes struct {
	all []armScope
	// shut is why management groups cannot be listed, unseen why no subscription can.
	shut, unseen *connector.Error
	// blind says that no management group is known, so that subscriptions alone show
	// what is assigned above them. root is the path of the root management group.
	blind bool
	root  string
	// absent are subscriptions of the scope that are not there.
	absent []string
}

func (s *session) arm(path, permission, on, version, filter, subscription string) call {
	link := s.client.endpoints.arm + path + "?api-version=" + version
	if filter != "" {
		link += "&$filter=" + strings.ReplaceAll(filter, " ", "%20")
	}
	return call{service: serviceARM, url: link, permission: permission, on: on, cost: 1, subscription: subscription}
}

type subscription struct {
	ID    string `json:"subscriptionId"`
	Name  string `json:"displayName"`
	State string `json:"state"`
}

type managementEntry struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Name       string `json:"name"`
	Properties struct {
		DisplayName string `json:"displayName"`
		Parent      struct {
			ID string `json:"id"`
		} `json:"parent"`
	} `json:"properties"`
}

// listScopes finds management groups and subscriptions, once per session.
func (s *session) listScopes(ctx context.Context) (*scopes, error) {
	if s.estate != nil {
		return s.estate, nil
	}
	found := &scopes{}
	parents, groups, err := s.listManagement(ctx, found)
	if err != nil {
		return nil, err
	}
	subscriptions, err := all[subscription](ctx, s, s.arm("/subscriptions", permSubscriptions, "the tenant", versionSubscriptions, "", ""))
	if e, shut := isDenied(err); shut {
		found.unseen = e
	} else if err != nil {
		return nil, err
	} else if len(subscriptions) == 0 {
		// Resource Manager leaves out what may not be read, and refuses nothing.
		e := missing(permSubscriptions)
		e.Message = "no subscription is visible: the identity has no role on any"
		found.unseen = &e
	}
	listed := map[string]bool{}
	for _, sub := range subscriptions {
		id := strings.ToLower(sub.ID)
		if !guid.MatchString(id) {
			continue
		}
		listed[id] = true
		if len(s.scope.Subscriptions) > 0 && !slices.Contains(s.scope.Subscriptions, id) {
			continue
		}
		path := "/subscriptions/" + id
		groups = append(groups, armScope{path: path, parent: parents[path], name: sub.Name, state: sub.State, subscription: id})
	}
	for _, id := range s.scope.Subscriptions {
		if !listed[id] {
			found.absent = append(found.absent, id)
		}
	}
	slices.SortFunc(groups, func(a, b armScope) int { return strings.Compare(a.path, b.path) })
	found.all = slices.CompactFunc(groups, func(a, b armScope) bool { return a.path == b.path })
	s.estate = found
	return found, nil
}

// listManagement finds management groups, and what contains each and each
// subscription.
func (s *session) listManagement(ctx context.Context, found *scopes) (parents map[string]string, groups []armScope, err error) {
	tenant, err := s.tenant(ctx)
	if err != nil {
		return nil, nil, err
	}
	parents = map[string]string{}
	entries, err := all[managementEntry](ctx, s, s.arm("/providers/Microsoft.Management/managementGroups", permManagement, "the tenant", versionManagement, "", ""))
	found.root = managementPrefix + tenant
	if e, shut := isDenied(err); shut {
		found.shut, found.blind = e, true
		return parents, nil, nil // what may not be read is kept in found
	}
	if err != nil {
		return nil, nil, err
	}
	// The root management group is named like the tenant.
	beneath, err := all[managementEntry](ctx, s, s.arm("/providers/Microsoft.Management/managementGroups/"+tenant+"/descendants", permDescendants, "the root management group", versionManagement, "", ""))
	if e, shut := isDenied(err); shut {
		found.shut = e
	} else if err != nil {
		return nil, nil, err
	}
	for _, e := range beneath {
		path := strings.ToLower(e.ID)
		if strings.EqualFold(e.Type, "/subscriptions") {
			path = "/subscriptions/" + strings.ToLower(e.Name)
		} else {
			entries = append(entries, e)
		}
		parents[path] = strings.ToLower(e.Properties.Parent.ID)
	}
	for _, e := range entries {
		path := strings.ToLower(e.ID)
		if strings.HasPrefix(path, managementPrefix) {
			groups = append(groups, armScope{path: path, parent: parents[path], name: e.Properties.DisplayName})
		}
	}
	return parents, groups, nil
}

// rootScope is above all management groups.
const rootScope = "/"

// readScopes adds management groups and subscriptions: as what contains, and as
// what is reached.
func (s *session) readScopes(ctx context.Context, _ string, _ records.Place, b *records.Writer) error {
	tenant, err := s.tenant(ctx)
	if err != nil {
		return err
	}
	found, err := s.listScopes(ctx)
	if err != nil {
		return err
	}
	if err := b.At(records.Place{Step: "all"}); err != nil {
		return err
	}
	for _, e := range []*connector.Error{found.shut, found.unseen} {
		if e != nil {
			b.Gap(*e)
		}
	}
	b.Entity(connector.Entity{Ref: resourceRef(rootScope), Name: "Root of Azure", Type: "azure_root"})
	b.Relate(connector.BoundaryContains, boundaryRef(tenant), resourceRef(rootScope))
	for _, sc := range found.all {
		name, kind := sc.name, "management_group"
		fields := map[string]any{"state": sc.state, "subscription_id": sc.subscription}
		if sc.subscription != "" {
			kind = "subscription"
		}
		if name == "" {
			name = sc.path[strings.LastIndexByte(sc.path, '/')+1:]
		}
		parent := sc.parent
		if parent == "" {
			parent = tenant
		}
		b.Entity(connector.Entity{Ref: boundaryRef(sc.path), Name: records.Name(name), Type: kind, Attributes: attributes(fields)})
		b.Entity(connector.Entity{Ref: resourceRef(sc.path), Name: records.Name(name), Type: kind})
		b.Relate(connector.BoundaryContains, boundaryRef(parent), boundaryRef(sc.path))
		b.Relate(connector.BoundaryContains, boundaryRef(sc.path), resourceRef(sc.path))
	}
	return b.Err()
}

type resourceGroup struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Location  string `json:"location"`
	ManagedBy string `json:"managedBy"`
}

// resourceGroups are those of one subscription.
type resourceGroups struct {
	subscription string
	list         []resourceGroup
}

// groupsOf returns a subscription's resource groups, which its partitions share.
func (s *session) groupsOf(ctx context.Context, path string) ([]resourceGroup, error) {
	if s.groups.subscription == path {
		return s.groups.list, nil
	}
	id := strings.TrimPrefix(path, "/subscriptions/")
	list, err := all[resourceGroup](ctx, s, s.arm(path+"/resourcegroups", permResourceGroups, "subscription "+id, versionResourceGroups, "", id))
	if err != nil {
		return nil, err
	}
	s.groups = resourceGroups{subscription: path, list: list}
	return list, nil
}

// readResourceGroups adds a subscription's resource groups.
func (s *session) readResourceGroups(ctx context.Context, path string, _ records.Place, b *records.Writer) error {
	list, err := s.groupsOf(ctx, path)
	if err := gapOrFail(b, err); err != nil {
		return err
	}
	if err := b.At(records.Place{Step: "all"}); err != nil {
		return err
	}
	for _, g := range list {
		b.Entity(connector.Entity{Ref: boundaryRef(g.ID), Name: records.Name(g.Name), Type: "resource_group", Attributes: attributes(map[string]any{"location": g.Location, "managed_by": records.Clip(g.ManagedBy, 2048)})})
		b.Entity(connector.Entity{Ref: resourceRef(g.ID), Name: records.Name(g.Name), Type: "resource_group"})
		b.Relate(connector.BoundaryContains, boundaryRef(path), boundaryRef(g.ID))
		b.Relate(connector.BoundaryContains, boundaryRef(g.ID), resourceRef(g.ID))
	}
	return b.Err()
}
