package main

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
)

// breaches are ways to break the contract: each makes a page what it forbids.
func breaches() map[string]func(*connector.Page) {
	return map[string]func(*connector.Page){
		"undeclared-kind": func(p *connector.Page) {
			p.Entities = append(p.Entities, connector.Entity{Ref: connector.Ref{Kind: "Spaceship", ID: "enterprise"}})
		},
		"too-many-records": func(p *connector.Page) {
			for len(p.Entities) <= connector.MaxPageRecords {
				p.Entities = append(p.Entities, p.Entities[0])
			}
		},
		"oversized-id":        func(p *connector.Page) { p.Entities[0].ID = strings.Repeat("x", connector.MaxIDBytes+1) },
		"attributes-not-json": func(p *connector.Page) { p.Entities[0].Attributes = json.RawMessage(`{"half":`) },
		"deeply-nested":       func(p *connector.Page) { p.Entities[0].Attributes = nested(connector.MaxAttributesDepth + 1) },
		"page-after-the-last": func(p *connector.Page) { p.Next = "" },
		"panic":               func(*connector.Page) { panic("the connector has a bug") },
		// Breaks nothing; see oddSession.
		oddEstate: nil,
	}
}

func breachNames() []string { return slices.Sorted(maps.Keys(breaches())) }

func nested(depth int) json.RawMessage {
	return json.RawMessage(strings.Repeat(`{"in":`, depth) + "1" + strings.Repeat("}", depth))
}

// breaking is a connector that breaks the contract in one stream.
type breaking struct {
	connector.Connector
	stream string
	spoil  func(*connector.Page)
}

// Open prepares a session of the connector's own, whose reads are broken.
func (b breaking) Open(ctx context.Context, settings connector.Settings) (connector.Session, error) {
	session, err := b.Connector.Open(ctx, settings)
	if err != nil {
		return nil, err
	}
	if b.spoil == nil {
		return oddSession{session, b.stream}, nil
	}
	return brokenSession{session, b}, nil
}

type brokenSession struct {
	connector.Session
	breaking breaking
}

// Read reads as the connector does, and spoils each page of the stream on its
// way. What has no entity to spoil is passed on.
func (s brokenSession) Read(ctx context.Context, p connector.Partition, from connector.Cursor, to connector.Sink) error {
	if p.Stream == s.breaking.stream {
		to = spoilingSink{to, s.breaking.spoil}
	}
	return s.Session.Read(ctx, p, from, to)
}

type spoilingSink struct {
	connector.Sink
	spoil func(*connector.Page)
}

// Write passes a spoilt page on. It is sent twice, so that one whose cursor was
// taken away is not the last.
func (s spoilingSink) Write(ctx context.Context, page connector.Page) error {
	if len(page.Entities) > 0 {
		s.spoil(&page)
	}
	if err := s.Sink.Write(ctx, page); err != nil {
		return err
	}
	return s.Sink.Write(ctx, page)
}
