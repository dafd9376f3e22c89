package licence

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Use is how much there is of what licences limit, in all workspaces together.
type Use struct {
	Workspaces  int64
	Connections int64
}

// Reader tells how the licence stands now. Nothing is kept between two
// questions, so that a licence counts for every service once it is installed.
type Reader interface {
	Standing(ctx context.Context) (Standing, error)
}

// Store keeps the licences that were installed.
type Store interface {
	Reader
	// Install puts a licence in force if [Record.Accept] takes it, in one
	// transaction with its audit event, which accepted completes. Two that
	// install at once come one after the other.
	Install(ctx context.Context, c workspace.Caller, document string, event func(Licence) audit.Event) (Standing, error)
	// Use counts across workspaces.
	Use(ctx context.Context) (Use, error)
}

// Service is the use cases on the licence.
type Service struct {
	Store Store
}

// Show returns how the licence stands. Use is for those who may install one, and
// nil for others: it tells of workspaces that are not theirs.
func (s *Service) Show(ctx context.Context, c workspace.Caller) (Standing, *Use, error) {
	if err := c.Require(workspace.ReadAdministration); err != nil {
		return Standing{}, nil, err
	}
	standing, err := s.Store.Standing(ctx)
	if err != nil || !c.Role.Has(workspace.ManageLicence) {
		return standing, nil, err
	}
	use, err := s.Store.Use(ctx)
	return standing, &use, err
}

// Install puts a licence in force for the whole tenant. One that is refused
// leaves the former in force.
func (s *Service) Install(ctx context.Context, c workspace.Caller, document string) (Standing, *Use, error) {
	if err := c.Require(workspace.ManageLicence); err != nil {
		return Standing{}, nil, err
	}
	standing, err := s.Store.Install(ctx, c, document, func(l Licence) audit.Event {
		e := audit.Event{
			Actor: c.Actor(), Action: audit.LicenceInstalled, Outcome: audit.Succeeded, TargetType: "licence", TargetID: l.ID,
			Payload: map[string]any{"licensee": l.Licensee, "integrations": l.Integrations},
		}
		for name, limit := range map[string]*int64{"workspaces": l.Limits.Workspaces, "connections": l.Limits.Connections} {
			if limit != nil {
				e.Payload[name] = *limit
			}
		}
		if l.ExpiresAt != nil {
			e.Payload["expires_at"] = stamp(*l.ExpiresAt)
		}
		return e
	})
	if err != nil {
		return Standing{}, nil, err
	}
	use, err := s.Store.Use(ctx)
	return standing, &use, err
}
