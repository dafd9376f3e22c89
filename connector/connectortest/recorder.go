package connectortest

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gatehouse-project/gatehouse/connector"
)

// recorder is a sink that checks each page against the contract and keeps it.
type recorder struct {
	stream connector.Stream
	pages  []connector.Page
	// before is called ahead of each page; its error is the sink's.
	before func(n int) error
}

func (r *recorder) Write(ctx context.Context, page connector.Page) error {
	if r.before != nil {
		if err := r.before(len(r.pages)); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := connector.ValidatePage(r.stream, &page); err != nil {
		return err
	}
	if n := len(r.pages); n > 0 && r.pages[n-1].Next == "" {
		return &connector.Error{Category: connector.ContractViolation, Message: "a page follows one without a cursor"}
	}
	r.pages = append(r.pages, page)
	return nil
}

func (r *recorder) gaps() (gaps []connector.Error) {
	for _, p := range r.pages {
		gaps = append(gaps, p.Gaps...)
	}
	return gaps
}

// records is what was emitted, by identity: of an entity its kind and id, of a
// relationship its kind, ends and key.
type records map[string]string

// add takes the records of pages. The error names a record that was emitted
// twice with different content.
func (all records) add(pages []connector.Page) error {
	put := func(id string, record any) error {
		b, err := json.Marshal(record)
		if err != nil {
			return fmt.Errorf("%s cannot be encoded: %w", id, err)
		}
		if old, ok := all[id]; ok && old != string(b) {
			return fmt.Errorf("%s is emitted twice with different content:\n%s\n%s", id, old, b)
		}
		all[id] = string(b)
		return nil
	}
	for _, p := range pages {
		for _, e := range p.Entities {
			if err := put(entityID(e.Ref), e); err != nil {
				return err
			}
		}
		for _, r := range p.Relationships {
			if err := put(fmt.Sprintf("%s %q %q %q", r.Kind, r.From, r.To, r.Key), r); err != nil {
				return err
			}
		}
	}
	return nil
}

func entityID(r connector.Ref) string { return fmt.Sprintf("%s %q", r.Kind, r.ID) }
