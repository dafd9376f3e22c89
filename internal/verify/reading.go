package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gatehouse-project/gatehouse/connector"
)

// reading is a sink that holds each page to the contract and keeps it.
type reading struct {
	stream connector.Stream
	pages  []connector.Page
	// before is called ahead of each page; its error is the sink's.
	before func(page int) error
}

// Write takes a page.
func (r *reading) Write(ctx context.Context, page connector.Page) error {
	if r.before != nil {
		if err := r.before(len(r.pages)); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := connector.ValidatePage(r.stream, &page); err != nil {
		return fmt.Errorf("page %d: %w", len(r.pages)+1, err)
	}
	if n := len(r.pages); n > 0 && r.pages[n-1].Next == "" {
		return fmt.Errorf("page %d follows one without a cursor, which has to be the last", n+1)
	}
	r.pages = append(r.pages, page)
	return nil
}

func (r *reading) gaps() (gaps []connector.Error) {
	for _, p := range r.pages {
		gaps = append(gaps, p.Gaps...)
	}
	return gaps
}

// records are what pages hold, by identity.
type records map[string]string

// add takes the records of pages. The error names one that differs from itself.
func (all records) add(pages []connector.Page) error {
	put := func(id string, record any) error {
		raw, err := json.Marshal(record)
		if err != nil {
			return err
		}
		if old, ok := all[id]; ok && old != string(raw) {
			return fmt.Errorf("%s is emitted twice with different content", id)
		}
		all[id] = string(raw)
		return nil
	}
	for _, p := range pages {
		for _, e := range p.Entities {
			if err := put(entityID(e.Ref), e); err != nil {
				return err
			}
		}
		for _, r := range p.Relationships {
			if err := put(fmt.Sprintf("%s from %s to %s with the key %q", r.Kind, entityID(r.From), entityID(r.To), r.Key), r); err != nil {
				return err
			}
		}
	}
	return nil
}

func entityID(r connector.Ref) string { return fmt.Sprintf("%s %q", r.Kind, r.ID) }

// differ says in what two readings differ; nil for in nothing.
func differ(want, got []connector.Page) error {
	a, b := records{}, records{}
	if err := errors.Join(a.add(want), b.add(got)); err != nil {
		return err
	}
	for id, record := range a {
		switch now, ok := b[id]; {
		case !ok:
			return fmt.Errorf("%s is missing", id)
		case now != record:
			return fmt.Errorf("%s has other content", id)
		}
	}
	for id := range b {
		if _, ok := a[id]; !ok {
			return fmt.Errorf("%s was not there before", id)
		}
	}
	return nil
}

// readAll plans and reads everything in one process. errs holds the reads that
// failed, by partition.
func (v *verification) readAll(ctx context.Context, changes map[string]any, budget connector.Budget) (plan connector.Plan, read map[string]*reading, errs map[string]error, err error) {
	session, err := v.open(ctx, changes, budget)
	if err != nil {
		return plan, nil, nil, err
	}
	defer letGo(session)
	if plan, err = session.Plan(ctx); err != nil {
		return plan, nil, nil, fmt.Errorf("plan: %w", err)
	}
	read, errs = map[string]*reading{}, map[string]error{}
	for _, p := range plan.Partitions {
		if p.Skip != nil {
			continue
		}
		r, err := v.newReading(p)
		if err != nil {
			return plan, nil, nil, err
		}
		if err := session.Read(ctx, p, "", r); err != nil {
			errs[name(p)] = err
		}
		read[name(p)] = r
	}
	return plan, read, errs, ctx.Err()
}

func (v *verification) newReading(p connector.Partition) (*reading, error) {
	stream, ok := v.manifestOf().Stream(p.Stream)
	if !ok {
		return nil, fmt.Errorf("the plan has a partition of the stream %q, which the manifest does not have", p.Stream)
	}
	return &reading{stream: stream}, nil
}
