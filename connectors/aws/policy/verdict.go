package policy

// Decision is what becomes of a request.
type Decision string

// The decisions.
const (
	Allowed Decision = "allowed"
	Denied  Decision = "denied"
	// Depends is for what is allowed in one case and denied in another, with
	// what it depends on among the verdict's needs.
	Depends Decision = "depends"
)

// LayerKind is a kind of policy in the evaluation.
type LayerKind string

// The layers.
const (
	LayerIdentity         LayerKind = "identity"
	LayerBoundary         LayerKind = "permissions_boundary"
	LayerSession          LayerKind = "session"
	LayerControls         LayerKind = "service_control"
	LayerResource         LayerKind = "resource"
	LayerResourceControls LayerKind = "resource_control"
)

// Verdict is the decision with its reasons.
type Verdict struct {
	Decision Decision
	// Explicit says that a statement denies, and not only that none allows.
	Explicit bool
	// Layers are all layers that were looked at, with what each says.
	Layers []LayerVerdict
	// Findings are the statements that apply or may apply, in the order of the
	// layers.
	Findings []Finding
	// Needs is what the decision depends on; empty for definite ones.
	Needs []Dependency
}

// LayerVerdict is what one layer says.
type LayerVerdict struct {
	Layer LayerKind
	Level string
	// Allows and Denies say whether a statement of the layer does.
	Allows, Denies Truth
	Unread         []string
}

// Finding is a statement that applies to the request, or may.
type Finding struct {
	Layer     LayerKind
	Level     string
	Policy    string
	PolicyID  string
	Statement string
	// Effect is Allow or Deny.
	Effect  string
	Applies Truth
	// Needs is what it depends on whether the statement applies.
	Needs []Dependency
}

// conclude makes the verdict of whether a statement denies, and whether the
// layers together allow.
func (e *evaluation) conclude(denied, allowed Truth) Verdict {
	v := e.verdict
	switch {
	case denied == True:
		v.Decision, v.Explicit = Denied, true
	case allowed == False:
		v.Decision = Denied
	case allowed == True && denied == False:
		v.Decision = Allowed
	default:
		v.Decision = Depends
	}
	if v.Decision != Depends {
		v.Needs = nil
		return v
	}
	for _, f := range v.Findings {
		v.Needs = append(v.Needs, f.Needs...)
	}
	for _, l := range v.Layers {
		for _, reason := range l.Unread {
			v.Needs = append(v.Needs, Dependency{Reason: reason})
		}
	}
	v.Needs = distinct(v.Needs)
	return v
}

// distinct leaves each need once, in order.
func distinct(needs []Dependency) []Dependency {
	type identity struct{ key, operator, reason string }
	seen := map[identity]bool{}
	var kept []Dependency
	for _, n := range needs {
		if id := (identity{n.Key, n.Operator, n.Reason}); !seen[id] {
			seen[id] = true
			kept = append(kept, n)
		}
	}
	return kept
}

// Deciding returns the findings that the decision rests on: the denials that
// apply, of an allowed request the allows, of one that depends those that may
// or may not apply and the allows beside them.
func (v Verdict) Deciding() []Finding {
	var kept []Finding
	for _, f := range v.Findings {
		switch {
		case v.Explicit && (f.Effect != Deny || f.Applies != True):
		case v.Decision == Denied && !v.Explicit && f.Effect == Deny:
		default:
			kept = append(kept, f)
		}
	}
	return kept
}

// Lacking returns the layers in which no statement allows.
func (v Verdict) Lacking() []LayerVerdict {
	var lacking []LayerVerdict
	for _, l := range v.Layers {
		if l.Allows == False {
			lacking = append(lacking, l)
		}
	}
	return lacking
}
