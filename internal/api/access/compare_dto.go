package access

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/coverage"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// PrincipalChanges is a page of who gained and who lost reach of a resource.
type PrincipalChanges struct {
	Resource entity.Ref `json:"resource"`
	Comparison
}

// ResourceChanges is a page of what a principal, an account or an identity gained
// and lost.
type ResourceChanges struct {
	Principal api.Nullable[entity.Ref]         `json:"principal" doc:"The principal or account that was asked about; null when an identity was."`
	Identity  api.Nullable[entity.IdentityRef] `json:"identity" doc:"The identity that was asked about, with the principals that it has at the later moment; null when an entity was."`
	Comparison
}

// Comparison is how access at one moment differs from that at an earlier one.
type Comparison struct {
	Changes    []Difference   `json:"changes" nullable:"false"`
	NextCursor string         `json:"next_cursor,omitempty" doc:"A page may have fewer rows than its limit, even none, while there is a next one."`
	Before     coverage.Basis `json:"before" doc:"The earlier moment, and how completely was looked then."`
	// What is beside the rows is of the later moment.
	coverage.Basis
}

// Difference is that access is not what it was.
type Difference struct {
	Change      string               `json:"change" enum:"gained,lost,changed" doc:"Changed: there at both moments, by another decision or, when no action was asked for, with other actions."`
	Uncertain   bool                 `json:"uncertain" doc:"A reason was first observed, or is no longer observed: the access may have been so before, or may be so still."`
	Before      api.Nullable[Access] `json:"before" doc:"At the earlier moment; null when nothing allowed it. May be there and denied."`
	After       api.Nullable[Access] `json:"after" doc:"At the later moment; null when nothing allows it. May be there and denied."`
	Steps       []Step               `json:"steps" nullable:"false" doc:"The shortest way at the later moment; of what was lost, at the earlier one."`
	Reasons     []Cause              `json:"reasons" nullable:"false" doc:"Edges on any way at one of the moments that are not the same at the other, from the subject on; at most 20."`
	MoreReasons bool                 `json:"more_reasons,omitempty"`
}

// Cause is that an edge of a way is not what it was.
type Cause struct {
	Change string             `json:"change" enum:"added,first_observed,changed,removed,no_longer_observed,expired" doc:"As in the list of changes; expired ended by itself."`
	At     *time.Time         `json:"at" doc:"When it became visible, or expired; null when that is no longer kept."`
	RunID  id.Run             `json:"run_id,omitzero" doc:"The run that saw it; left out when it expired." example:"run_123"`
	Kind   string             `json:"kind" example:"account_assigned_entitlement"`
	From   entity.Ref         `json:"from"`
	To     entity.Ref         `json:"to"`
	Before api.Nullable[Edge] `json:"before" doc:"Null when it was not there at the earlier moment."`
	After  api.Nullable[Edge] `json:"after" doc:"Null when it is not there at the later moment."`
}
