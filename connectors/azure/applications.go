package azure

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// credential is a secret or certificate; neither it nor Microsoft's hint of it is
// read.
type credential struct {
	KeyID string     `json:"keyId"`
	Name  string     `json:"displayName"`
	Start *time.Time `json:"startDateTime"`
	End   *time.Time `json:"endDateTime"`
}

type application struct {
	ID        string       `json:"id"`
	AppID     string       `json:"appId"`
	Name      string       `json:"displayName"`
	Audience  string       `json:"signInAudience"`
	Publisher string       `json:"publisherDomain"`
	Created   *time.Time   `json:"createdDateTime"`
	Passwords []credential `json:"passwordCredentials"`
	Keys      []credential `json:"keyCredentials"`
}

func (s *session) applicationsCall() call {
	return s.graph("applications", permApplications, 1, "$select", "id,appId,displayName,signInAudience,publisherDomain,createdDateTime,passwordCredentials,keyCredentials", "$top", largestPage)
}

// readApplications reads app registrations, and of twenty at a time the owners in
// one batch. An owner may add a secret and act as the application.
func (s *session) readApplications(ctx context.Context, _ string, from records.Place, b *records.Writer) error {
	tenant, err := s.tenant(ctx)
	if err != nil {
		return err
	}
	return eachChunk(ctx, s, s.applicationsCall(), from, b, maxBatch, func(a application) string { return a.ID }, func(apps []application) error {
		return s.addApplications(ctx, tenant, apps, b)
	})
}

func (s *session) addApplications(ctx context.Context, tenant string, apps []application, b *records.Writer) error {
	parts := make([]part, len(apps))
	for i, a := range apps {
		parts[i] = part{path: "applications/" + a.ID + "/owners?$select=id&$top=" + largestPage, permission: permApplications, on: "the tenant", cost: 2}
	}
	answers, err := s.batched(ctx, "v1.0", parts)
	if err != nil {
		return err
	}
	owned, owners := []application{}, [][]directoryObject{}
	for i, a := range apps {
		id := resourceRef(a.ID)
		b.Entity(connector.Entity{
			Ref: id, Name: records.Name(a.Name), Type: "application",
			Attributes: attributes(map[string]any{
				"app_id": a.AppID, "sign_in_audience": a.Audience, "publisher_domain": a.Publisher, "created_at": a.Created,
				"secrets": credentials(a.Passwords), "certificates": credentials(a.Keys), "last_credential_ends_at": lastEnd(a.Passwords, a.Keys),
			}, "secrets", "certificates"),
		})
		b.Relate(connector.BoundaryContains, boundaryRef(tenant), id)
		var found []directoryObject
		err := readPart(ctx, s, "v1.0", parts[i], answers[i], func(o directoryObject) { found = append(found, o) })
		if err := partGap(b, err); err != nil {
			return err
		}
		ownership(b, found, id, a.Name, "application_owner", "microsoft.directory/applications/credentials/update", "microsoft.directory/applications/owners/update")
		if len(found) > 0 {
			owned, owners = append(owned, a), append(owners, found)
		}
	}
	return s.addImpersonations(ctx, owned, owners, b)
}

// addImpersonations adds that owners may act as their applications' service
// principals, which are asked for in one batch.
func (s *session) addImpersonations(ctx context.Context, apps []application, owners [][]directoryObject, b *records.Writer) error {
	if len(apps) == 0 {
		return b.Err()
	}
	parts := make([]part, len(apps))
	for i, a := range apps {
		parts[i] = part{path: "servicePrincipals?$filter=appId%20eq%20'" + a.AppID + "'&$select=id", permission: permApplications, on: "the tenant", cost: 1}
	}
	answers, err := s.batched(ctx, "v1.0", parts)
	if err != nil {
		return err
	}
	for i := range apps {
		err := readPart(ctx, s, "v1.0", parts[i], answers[i], func(sp directoryObject) {
			for _, o := range owners[i] {
				if o.Type == typeUser || o.Type == typeServicePrincipal {
					b.Relationship(connector.Relationship{
						Kind: connector.AccountAssumesAccount, From: accountRef(o.ID), To: accountRef(sp.ID), Key: "application_owner",
						Attributes: attributes(map[string]any{"how": "An owner of the application may add a secret to it."}),
					})
				}
			}
		})
		if err := partGap(b, err); err != nil {
			return err
		}
	}
	return b.Err()
}

// credentials describes secrets or certificates, in order of their ids.
func credentials(list []credential) []map[string]any {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b credential) int { return strings.Compare(a.KeyID, b.KeyID) })
	all := make([]map[string]any, 0, len(list))
	for _, c := range list {
		one := map[string]any{"key_id": c.KeyID}
		if c.Name != "" {
			one["name"] = records.Name(c.Name)
		}
		if c.Start != nil {
			one["starts_at"] = c.Start.UTC().Format(time.RFC3339)
		}
		if c.End != nil {
			one["ends_at"] = c.End.UTC().Format(time.RFC3339)
		}
		all = append(all, one)
	}
	return all
}

// lastEnd is when the last of all credentials ends.
func lastEnd(lists ...[]credential) (last *time.Time) {
	for _, list := range lists {
		for _, c := range list {
			if c.End != nil && (last == nil || c.End.After(*last)) {
				last = c.End
			}
		}
	}
	return last
}
