package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/gatehouse-project/gatehouse/connector"
)

// scripted is a connector whose provider is a script.
type scripted struct {
	plan []connector.Partition
	// open-ended plans do not say that they are complete.
	openEnded bool
	// pages of each partition, and records of each page.
	pages, perPage int
	// at is asked before each page, and once more after the last.
	at func(ctx context.Context, p connector.Partition, page int) error
	// change may alter a page before it is written.
	change func(p connector.Partition, n int, page *connector.Page)
	open   func(connector.Settings) error
	check  func(context.Context) (connector.CheckResult, error)
	plans  func() error
	// hosts are those of the provider.
	hosts []string
	// throttles are what the provider counts calls by.
	throttles []connector.ThrottleScope

	opened, closed, written atomic.Int64
}

func newScripted(keys ...string) *scripted {
	s := &scripted{
		pages: 3, perPage: 2, at: func(context.Context, connector.Partition, int) error { return nil },
		change: func(connector.Partition, int, *connector.Page) {}, open: func(connector.Settings) error { return nil },
		plans: func() error { return nil },
		check: func(context.Context) (connector.CheckResult, error) {
			return connector.CheckResult{Target: connector.Target{ID: "t", Type: "account"}, Sufficient: true}, nil
		},
	}
	for _, k := range keys {
		s.plan = append(s.plan, connector.Partition{Stream: "users", Key: k})
	}
	return s
}

func (s *scripted) Manifest() connector.Manifest {
	return connector.Manifest{
		IntegrationID: "scripted", ConnectorID: "scripted", Name: "Scripted", Version: "1", ContractVersion: connector.ContractVersion,
		Configuration: json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"region":{"type":"string"},"key":{"type":"string","writeOnly":true}}}`),
		Scope:         json.RawMessage(`{"type":"object"}`), Hosts: s.hosts, ThrottleScopes: s.throttles,
		Streams: []connector.Stream{
			{Name: "users", Entities: []connector.EntityKind{connector.Account}},
			{Name: "groups", Entities: []connector.EntityKind{connector.Entitlement}, DependsOn: []string{"users"}},
		},
	}
}

func (s *scripted) Open(_ context.Context, settings connector.Settings) (connector.Session, error) {
	if err := s.open(settings); err != nil {
		return nil, err
	}
	s.opened.Add(1)
	return &scriptedSession{s, settings}, nil
}

type scriptedSession struct {
	*scripted
	settings connector.Settings
}

func (s *scriptedSession) Check(ctx context.Context) (connector.CheckResult, error) {
	return s.check(ctx)
}

func (s *scriptedSession) Plan(context.Context) (connector.Plan, error) {
	return connector.Plan{Partitions: s.plan, Complete: !s.openEnded}, s.plans()
}

func (s *scriptedSession) Close() error {
	s.closed.Add(1)
	return nil
}

func (s *scriptedSession) Read(ctx context.Context, p connector.Partition, from connector.Cursor, to connector.Sink) error {
	first := 0
	if from != "" {
		n, err := strconv.Atoi(string(from))
		if err != nil {
			return err
		}
		first = n
	}
	for n := first; n < s.pages; n++ {
		if err := s.at(ctx, p, n); err != nil {
			return err
		}
		page := s.page(p, n)
		s.change(p, n, &page)
		if err := to.Write(ctx, page); err != nil {
			return fmt.Errorf("a connector may wrap what the sink says: %v", err) //nolint:errorlint // it hides the sink's error on purpose
		}
		s.written.Add(1)
	}
	return s.at(ctx, p, s.pages)
}

func (s *scripted) page(p connector.Partition, n int) connector.Page {
	kind := connector.Account
	if p.Stream == "groups" {
		kind = connector.Entitlement
	}
	var page connector.Page
	for i := range s.perPage {
		page.Entities = append(page.Entities, connector.Entity{Ref: connector.Ref{Kind: kind, ID: recordID(p, n, i)}})
	}
	if n < s.pages-1 {
		page.Next = connector.Cursor(strconv.Itoa(n + 1))
	}
	return page
}

func recordID(p connector.Partition, page, i int) string {
	return fmt.Sprintf("%s/%s/%d/%d", p.Stream, p.Key, page, i)
}

// all returns every record of the plan in order.
func (s *scripted) all() []string {
	var ids []string
	for _, p := range s.plan {
		ids = append(ids, s.records(p, 0, s.pages)...)
	}
	return ids
}

// records returns those of some pages of a partition.
func (s *scripted) records(p connector.Partition, from, to int) []string {
	var ids []string
	for n := from; n < to; n++ {
		for i := range s.perPage {
			ids = append(ids, recordID(p, n, i))
		}
	}
	return ids
}

func failure(c connector.Category, message string) *connector.Error {
	return &connector.Error{Category: c, Message: message}
}
