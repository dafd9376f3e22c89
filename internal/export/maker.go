package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// Maker makes the files of exports in the background.
type Maker struct {
	Store     Store
	Source    Source
	Encodings Encodings
	// MaxBytes bounds a file; [MaxBytes] when zero.
	MaxBytes int64
	// Keep is how long an export is kept once it has ended; [Keep] when zero.
	Keep time.Duration
	// Queue has an export made that nobody is at.
	Queue func(ctx context.Context, ref Ref) error
}

// maker is the part of the system that audit events name.
const maker = "exports"

func (m *Maker) expires() time.Time {
	keep := m.Keep
	if keep == 0 {
		keep = Keep
	}
	return time.Now().Add(keep)
}

// Make makes the file of an export, unless that is not to be done any more. A file
// that cannot be made for a reason that stays fails the export; any other error is
// for trying again.
func (m *Maker) Make(ctx context.Context, ref Ref) error {
	x, ok, err := m.Store.Begin(ctx, ref)
	if err != nil || !ok {
		return err
	}
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		m.keepAlive(working, stop, ref, x.Attempt)
	}()
	err = m.make(working, x)
	if cause := context.Cause(working); err != nil && cause != nil && ctx.Err() == nil {
		err = cause
	}
	stop(nil)
	<-kept
	switch fault.KindOf(err) {
	case fault.NotFound, fault.Invalid, fault.TooLarge, fault.Conflict:
		var told *fault.Error
		if errors.As(err, &told) {
			return m.fail(ctx, ref, x.Attempt, told.Message)
		}
	}
	if errors.Is(err, ErrNotMine) {
		return nil
	}
	return err
}

// keepAlive says that the attempt goes on until ctx ends, and stops the work when
// it is not the current one any more.
func (m *Maker) keepAlive(ctx context.Context, stop context.CancelCauseFunc, ref Ref, attempt int) {
	tick := time.NewTicker(AliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// Should the database be away for longer, writing notices.
		if err := m.Store.Alive(ctx, ref, attempt); errors.Is(err, ErrNotMine) {
			stop(err)
			return
		}
	}
}

// work is an export on its way to a file.
type work struct {
	Export
	reading   Reading
	questions *graph.Questions
	encodings Encodings
	out       *chunker
	table     Table
	coverage  []graph.Coverage
	truncated bool
}

func (m *Maker) make(ctx context.Context, x Export) error {
	ref := Ref{Scope: x.Scope, Export: x.ID}
	most := m.MaxBytes
	if most == 0 {
		most = MaxBytes
	}
	out := newChunker(most, func(c Chunk) error { return m.Store.Append(ctx, ref, x.Attempt, c) })
	var manifest []byte
	err := m.Source.Read(ctx, x.Scope.Workspace, x.Query.moment(), func(r Reading) (err error) {
		w := &work{Export: x, reading: r, questions: &graph.Questions{Store: r.Questions()}, encodings: m.Encodings, out: out}
		if err := w.write(ctx); err != nil {
			return err
		}
		if err := out.flush(); err != nil {
			return err
		}
		manifest, err = manifestOf(x, w, out)
		return err
	})
	if err != nil {
		return err
	}
	sum := out.sum()
	hash := sha256.Sum256(manifest)
	return m.Store.Complete(ctx, ref, x.Attempt, Result{Rows: out.rows, Bytes: out.size, SHA256: sum, Manifest: manifest, Expires: m.expires()}, audit.Event{
		Actor: audit.System(maker), Action: audit.ExportCompleted, Outcome: audit.Succeeded, TargetType: targetType, TargetID: x.ID.String(),
		Payload: map[string]any{
			"requested_by": x.RequestedBy.String(), "what": string(x.Query.Subject), "format": string(x.Query.Format), "rows": out.rows, "bytes": out.size,
			"sha256": hex.EncodeToString(sum[:]), "manifest_sha256": hex.EncodeToString(hash[:]),
		},
	})
}

func (m *Maker) fail(ctx context.Context, ref Ref, attempt int, message string) error {
	err := m.Store.Fail(ctx, ref, attempt, message, m.expires(), audit.Event{
		Actor: audit.System(maker), Action: audit.ExportFailed, Outcome: audit.Failed, TargetType: targetType, TargetID: ref.Export.String(),
		Payload: map[string]any{"message": message},
	})
	if errors.Is(err, ErrNotMine) {
		return nil
	}
	return err
}

// GiveUp fails an export whose making has failed too often.
func (m *Maker) GiveUp(ctx context.Context, ref Ref) error {
	return m.fail(ctx, ref, 0, "the file could not be made; try again, and see the log of the discovery service if it fails again")
}

// tendMost bounds one round of [Maker.Tend].
const tendMost = 100

// Tend has exports made that nobody is at, gives up those that were begun too
// often, and removes those that were kept long enough.
func (m *Maker) Tend(ctx context.Context) error {
	abandoned, expired, err := m.Store.Overdue(ctx, tendMost)
	if err != nil {
		return err
	}
	var failed []error
	for ref, attempts := range abandoned {
		if attempts >= MaxAttempts {
			failed = append(failed, m.GiveUp(ctx, ref))
			continue
		}
		failed = append(failed, m.Queue(ctx, ref))
	}
	for _, ref := range expired {
		err := m.Store.Delete(ctx, ref, audit.Event{
			Actor: audit.System(maker), Action: audit.ExportDeleted, Outcome: audit.Succeeded, TargetType: targetType, TargetID: ref.Export.String(),
			Payload: map[string]any{"reason": "expired"},
		})
		if err != nil && fault.KindOf(err) != fault.NotFound {
			failed = append(failed, fmt.Errorf("remove %s: %w", ref.Export, err))
		}
	}
	return errors.Join(failed...)
}
