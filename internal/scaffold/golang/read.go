package main

import (
	"context"
	"net/url"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Read reads one partition page by page. The controller's own marker is the cursor: it
// means the same to every process.
func (s *session) Read(ctx context.Context, p connector.Partition, from connector.Cursor, to connector.Sink) error {
	list := s.doors
	if p.Stream == "badges" {
		list = s.badges
	}
	for {
		page, err := list(ctx, "?limit=100&after="+url.QueryEscape(string(from)))
		if err != nil {
			return err
		}
		if err := to.Write(ctx, page); err != nil {
			return err // the sink's own error, unchanged
		}
		if page.Next == "" {
			return nil
		}
		from = page.Next
	}
}

func (s *session) doors(ctx context.Context, query string) (page connector.Page, err error) {
	var found struct {
		Doors []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"doors"`
		Next string `json:"next"`
	}
	if err := s.controller.get(ctx, "/doors"+query, readDoors, &found); err != nil {
		return page, err
	}
	for _, d := range found.Doors {
		page.Entities = append(page.Entities, connector.Entity{Ref: connector.Ref{Kind: connector.Resource, ID: d.ID}, Name: d.Name, Type: "door"})
	}
	page.Next = connector.Cursor(found.Next)
	return page, nil
}

func (s *session) badges(ctx context.Context, query string) (page connector.Page, err error) {
	var found struct {
		Badges []struct {
			Number string   `json:"number"`
			Holder string   `json:"holder"`
			Email  string   `json:"email"`
			Doors  []string `json:"doors"`
		} `json:"badges"`
		Next string `json:"next"`
	}
	if err := s.controller.get(ctx, "/badges"+query, readBadges, &found); err != nil {
		return page, err
	}
	for _, b := range found.Badges {
		person := connector.Ref{Kind: connector.Principal, ID: "holder/" + b.Number}
		badge := connector.Ref{Kind: connector.Account, ID: b.Number}
		access := connector.Ref{Kind: connector.Entitlement, ID: "badge/" + b.Number}
		page.Entities = append(page.Entities,
			// Whoever runs the controller types the address: it is not verified.
			connector.Entity{Ref: person, Name: b.Holder, Type: "holder", Identifiers: []connector.Identifier{{Type: connector.Email, Value: b.Email, Unverified: true}}},
			connector.Entity{Ref: badge, Name: b.Holder, Type: "badge"},
			connector.Entity{Ref: access, Name: "doors of badge " + b.Number, Type: "badge_access"})
		page.Relationships = append(page.Relationships,
			connector.Relationship{Kind: connector.PrincipalRepresentsAccount, From: person, To: badge},
			connector.Relationship{Kind: connector.AccountAssignedEntitlement, From: badge, To: access})
		for _, d := range b.Doors {
			page.Relationships = append(page.Relationships, connector.Relationship{
				Kind: connector.EntitlementGrantsResource, From: access, To: connector.Ref{Kind: connector.Resource, ID: d}, Terms: &connector.Terms{Actions: []string{"open"}},
			})
		}
	}
	page.Next = connector.Cursor(found.Next)
	return page, nil
}
