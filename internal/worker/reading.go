package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// reading is the reading of one partition, and the sink the connector writes
// to. It keeps the latest page back, because the last one carries the end.
type reading struct {
	*discovery
	stream    connector.Stream
	partition connector.Partition
	// cursor is where to continue after the pages that were handed on.
	cursor connector.Cursor
	held   *connector.Page
	// heldName says in messages which page is held.
	heldName string
	// pages counts what the connector wrote in this attempt, resumable those of
	// them that Read need not be asked for again.
	pages, resumable int
	// stored says that the platform has something of the partition.
	stored bool
	// gap is the first thing the provider would not show.
	gap *connector.Error
	// refused is what Write has answered, whatever the connector makes of it.
	refused error
}

// read calls the connector until it has read the partition, cannot, or may not
// go on. A failure is the provider's or connector's; an error ends the run here.
func (r *reading) read() (failure *connector.Error, err error) {
	for {
		before := r.resumable
		err := r.guard("read of stream "+r.partition.Stream, func() error {
			return r.session.Read(r.work, r.partition, r.cursor, r)
		})
		if r.work.Err() != nil {
			return nil, context.Cause(r.work)
		}
		if r.resumable > before {
			r.patience.progressed()
		}
		if r.refused != nil {
			err = r.refused
			if !errors.As(err, &failure) {
				return nil, err
			}
			return failure, nil
		}
		if err == nil {
			r.begun = true
			r.patience.progressed()
			return nil, nil
		}
		failure = connector.AsError(err)
		if !r.await(&r.patience, failure) {
			if r.work.Err() != nil {
				return nil, context.Cause(r.work)
			}
			return failure, nil
		}
		if err := r.rewind(); err != nil {
			return asFailure(err)
		}
	}
}

// asFailure tells a failure of the partition from an error that ends the run.
func asFailure(err error) (*connector.Error, error) {
	var failure *connector.Error
	if errors.As(err, &failure) {
		return failure, nil
	}
	return nil, err
}

// rewind prepares for another Read from the last cursor. A page without one
// cannot be continued after and is asked for again.
func (r *reading) rewind() error {
	if r.held != nil && r.held.Next != "" {
		return r.handOn()
	}
	r.held = nil
	return nil
}

// Write takes a page from the connector.
func (r *reading) Write(ctx context.Context, page connector.Page) error {
	if r.refused == nil {
		r.refused = r.take(ctx, page)
	}
	return r.refused
}

func (r *reading) take(ctx context.Context, page connector.Page) error {
	if r.work.Err() != nil {
		return context.Cause(r.work)
	}
	r.pages++
	name := fmt.Sprintf("%s, page %d", nameOf(r.partition), r.pages)
	if r.held != nil && r.held.Next == "" {
		return &connector.Error{Category: connector.ContractViolation, Message: name + ": it comes after a page without a cursor, which has to be the last"}
	}
	if err := connector.ValidatePage(r.stream, &page); err != nil {
		r.log.ErrorContext(ctx, "the connector broke the contract", slog.String("page", name), slog.Any("error", err))
		return &connector.Error{Category: connector.ContractViolation, Message: name + ": " + connector.AsError(err).Message}
	}
	if r.held != nil {
		if err := r.handOn(); err != nil {
			return err
		}
	}
	for i := range page.Gaps {
		page.Gaps[i] = *r.safe(&page.Gaps[i])
	}
	if r.gap == nil && len(page.Gaps) > 0 {
		r.gap = &page.Gaps[0]
	}
	r.held, r.heldName, r.begun = &page, name, true
	if page.Next != "" {
		r.resumable++
	}
	return nil
}

// handOn sends the page that was held back.
func (r *reading) handOn() error {
	page := *r.held
	r.held = nil
	if err := r.out.put(parcel{r.header(page.Next), page, r.heldName}); err != nil {
		return err
	}
	r.cursor, r.stored = page.Next, true
	return nil
}

func (r *reading) header(next connector.Cursor) workerapi.Header {
	return workerapi.Header{Stream: r.partition.Stream, Partition: r.partition.Key, Next: next}
}

// complete ends a partition that was read to its end.
func (r *reading) complete() error {
	end := connector.Complete
	if r.gap != nil {
		end = connector.Partial
	}
	return r.end(end, r.gap)
}

// fail ends a partition that was not.
func (r *reading) fail(failure *connector.Error) error {
	r.log.WarnContext(r.work, "a partition was not read completely", slog.String("partition", nameOf(r.partition)),
		slog.String("category", string(failure.Category)), slog.String("message", failure.Message), slog.Any("cause", failure.Cause))
	return r.end(r.incomplete(), failure)
}

// incomplete is the coverage of a partition that failed.
func (r *reading) incomplete() connector.Coverage {
	if r.stored || r.held != nil {
		return connector.Partial
	}
	return connector.Skipped
}

// end sends the last page with the partition's coverage. If a page turns out to
// be one that cannot be sent, the partition ends without it and is partial.
func (r *reading) end(coverage connector.Coverage, failure *connector.Error) error {
	// What was handed on may have been refused meanwhile.
	err := r.out.flush()
	if err == nil {
		var page connector.Page
		if r.held != nil {
			page = *r.held
		}
		if err = r.sendEnd(page, coverage, failure); err == nil {
			return nil
		}
	}
	unsendable, err := asFailure(err)
	if err != nil {
		return err
	}
	r.log.ErrorContext(r.work, "the connector broke the contract", slog.String("message", unsendable.Message))
	r.held = nil
	return r.sendEnd(connector.Page{}, r.incomplete(), unsendable)
}

func (r *reading) sendEnd(page connector.Page, coverage connector.Coverage, failure *connector.Error) error {
	h := r.header(page.Next)
	h.End = coverage
	if failure != nil {
		h.Failure = workerapi.NewFailure(r.safe(failure))
	}
	name := r.heldName
	if name == "" {
		name = nameOf(r.partition)
	}
	if err := r.out.put(parcel{h, page, name}); err != nil {
		return err
	}
	return r.out.flush()
}
