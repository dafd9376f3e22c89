package graph

import (
	"context"
	"maps"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// validEffective checks what is asked of the rows of a list.
func (f *AccessFilter) validEffective() error {
	if f.Effective && f.Action == "" {
		return fault.InvalidField("query.effective", "needs an action: name the one that is to be decided, such as action=s3:GetObject")
	}
	if !f.Effective && len(f.Context) > 0 {
		return fault.InvalidField("query.context", "is about a request that would be decided; ask for that with effective=true")
	}
	return validContext(f.Context)
}

// effective decides the action for each row: of who can, for the row's account on
// the resource that was asked about; of what can, for the accounts of the subject
// on the row's resource. Rows that the bounds of the work leave undecided make the
// answer truncated.
func (q *Questions) effective(ctx context.Context, c workspace.Caller, v View, f AccessFilter, answer *AccessAnswer) error {
	s, err := q.search(v, c, answer.Subject)
	if err != nil {
		return err
	}
	s.action, s.context = f.Action, f.Context
	ends, err := s.endsOf(ctx, answer)
	if err != nil {
		return err
	}
	var mentioned []EntityID
	for i := range answer.Rows {
		row := &answer.Rows[i]
		if s.decisions >= maxDecisions {
			answer.Truncated = true
			break
		}
		accounts := ends.accounts
		if accounts == nil {
			of := ends.named[row.Account]
			accounts = []connector.Ref{{Kind: of.Kind, ID: of.ProviderID}}
		}
		s.about(ends.resource(row))
		found, err := s.routes(ctx, accounts)
		if err != nil {
			return err
		}
		answer.Truncated = answer.Truncated || found.truncated
		if len(found.routes) == 0 {
			continue // a principal that acts by no account
		}
		best := found.routes[0]
		best.Outcome = found.outcome
		row.Effective = &best
		mentioned = append(mentioned, s.mentioned(best)...)
	}
	named, err := v.Entities(ctx, s.conn, distinct(mentioned))
	if err != nil {
		return err
	}
	if answer.Entities == nil {
		answer.Entities = map[EntityID]Entity{}
	}
	maps.Copy(answer.Entities, named)
	return nil
}

// ends are who asks and what for in the rows of an answer.
type ends struct {
	subject Entity
	named   map[EntityID]Entity
	// accounts are those of a subject that reaches; nil when the rows' do.
	accounts []connector.Ref
}

func (s *search) endsOf(ctx context.Context, answer *AccessAnswer) (ends, error) {
	e := ends{subject: answer.Subject, named: answer.Entities}
	if answer.Subject.Kind == connector.Resource {
		return e, nil
	}
	accounts, err := s.accountsOf(ctx, answer.Subject)
	e.accounts = append([]connector.Ref{}, accounts...)
	return e, err
}

// resource is the provider's name of what a row's request is about.
func (e ends) resource(row *AccessRow) string {
	if e.accounts == nil {
		return e.subject.ProviderID
	}
	return e.named[row.Resource].ProviderID
}

// about turns to another resource: what accounts get is decided anew, whom they
// may take on is not.
func (s *search) about(resource string) {
	if s.resource != resource {
		s.resource, s.own = resource, map[connector.Ref]connector.AccessDecision{}
	}
}
