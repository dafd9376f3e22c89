package connector

import "context"

// Decider is an optional capability of a [Connector]: it tells whether its
// provider would let a request through, from the records that its own streams
// emitted. Without it the platform says what statements say, not what comes of
// them.
//
// It calls nobody but the records, keeps nothing, and is safe for concurrent
// use. What is not known it does not guess: it answers [OutcomeDepends] with
// what the answer depends on, and a definite answer holds whatever the unknown
// is. Errors are those of the records, and [RequestError].
type Decider interface {
	// Decide decides a request that an account makes as itself.
	Decide(ctx context.Context, r AccessRequest, records Records) (AccessDecision, error)
	// Assumable returns the accounts whose identity an account may be able to
	// take, each once.
	Assumable(ctx context.Context, account Ref, records Records) ([]Ref, error)
	// DecideAssumption decides whether an account may take the identity of
	// another. Context is as in [AccessRequest].
	DecideAssumption(ctx context.Context, from, to Ref, context map[string][]string, records Records) (AccessDecision, error)
}

// AccessRequest is what somebody wants to do, in the provider's own terms.
type AccessRequest struct {
	// Account makes the request.
	Account Ref
	// Action is one action, without wildcards.
	Action string
	// Resource is the provider's name of what the action is taken on, which
	// need not have been read. Where the action is taken on what is inside the
	// named thing, the decision is about any of that.
	Resource string
	// Context is what is known of the request's circumstances: values by the
	// provider's name for them, or none for what is absent. What is not in it
	// is not known, unless the records tell.
	Context map[string][]string
	// SessionPolicy is a policy in the provider's language that limits the
	// session in which the account makes the request; empty for none. One that
	// the provider would not take is a [RequestError].
	SessionPolicy string
}

// RequestError is an error of [Decider]: the request itself makes no sense to the
// provider.
type RequestError struct {
	// Part is what is wrong, by the name of the field in [AccessRequest].
	Part string
	// Message says why, as the rest of a sentence that begins with the part.
	Message string
}

// Error says both.
func (e *RequestError) Error() string { return e.Part + " " + e.Message }

// PartSessionPolicy is the name of [AccessRequest.SessionPolicy] in a
// [RequestError].
const PartSessionPolicy = "session_policy"

// Records is what the streams of one connection emitted, as of one moment.
type Records interface {
	// Entity returns an entity, or false when it was not seen.
	Entity(ctx context.Context, ref Ref) (Entity, bool, error)
	// Named returns the entities with exactly this name, and OfType all of a
	// type, up to [MaxRecordsFound]; whole is false when there are more.
	Named(ctx context.Context, kind EntityKind, name string) (found []Entity, whole bool, err error)
	OfType(ctx context.Context, kind EntityKind, typ string) (found []Entity, whole bool, err error)
	// From returns the relationships of a kind that start at an entity, and To
	// those that end there, with the same bound.
	From(ctx context.Context, kind RelationshipKind, ref Ref) (found []Relationship, whole bool, err error)
	To(ctx context.Context, kind RelationshipKind, ref Ref) (found []Relationship, whole bool, err error)
	// Complete reports whether a stream's partition was read completely when it
	// was read last, so that what it did not show is not there.
	Complete(ctx context.Context, p Partition) (bool, error)
}

// MaxRecordsFound is the most that one look-up of [Records] returns.
const MaxRecordsFound = 5000

// Outcome is what becomes of a request.
type Outcome string

// The outcomes.
const (
	OutcomeAllowed Outcome = "allowed"
	OutcomeDenied  Outcome = "denied"
	// OutcomeDepends is for what is allowed in one case and denied in another.
	OutcomeDepends Outcome = "depends"
)

// Answer is whether something is so.
type Answer string

// The answers.
const (
	Yes      Answer = "yes"
	No       Answer = "no"
	NotKnown Answer = "unknown"
)

// AccessDecision is an outcome with its reasons.
type AccessDecision struct {
	Outcome Outcome
	// Explicit says that a statement denies, and not only that none allows.
	Explicit bool
	// Action and Resource are what was decided about.
	Action, Resource string
	// Layers are the kinds of policy that were looked at, in the provider's
	// words.
	Layers []DecisionLayer
	// Statements are those that the outcome rests on.
	Statements []DecidingStatement
	// Needs is what the outcome depends on; empty for a definite one.
	Needs []DecisionNeed
}

// DecisionLayer is what one kind of policy says.
type DecisionLayer struct {
	// Layer is the kind, and Level which of several of it.
	Layer, Level string
	// Allows and Denies say whether a statement of it does.
	Allows, Denies Answer
	// Unread says in sentences what more may belong to it.
	Unread []string
}

// DecidingStatement is a statement that an outcome rests on.
type DecidingStatement struct {
	Layer, Level string
	// Policy is the name of the policy, Record the entity that holds it.
	Policy string
	Record Ref
	// Key tells the statement apart in its policy, as in [Relationship].
	Key     string
	Effect  Effect
	Applies Answer
	// Needs is what it depends on whether it applies.
	Needs []DecisionNeed
}

// DecisionNeed is something that is not known and that an outcome depends on.
type DecisionNeed struct {
	// Key is the provider's name of what is not known about the circumstances;
	// empty for what is not about these. Operator and Values are what a policy
	// compares it with.
	Key      string
	Operator string
	Values   []string
	// Reason says it in a sentence.
	Reason string
}
