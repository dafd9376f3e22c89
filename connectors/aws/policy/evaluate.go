package policy

import "strings"

// Policy is a document with the name that explanations call it by, and an id
// that is the caller's own and is handed through.
type Policy struct {
	Name, ID string
	Document Document
}

// Layer is the policies of one kind that bear on a request.
type Layer struct {
	// Level names one of several layers of a kind: the unit or account that
	// control policies hang on.
	Level    string
	Policies []Policy
	// Unread says, in sentences, what more may belong here and is not known.
	Unread []string
}

// Layers are all policies that bear on a request.
type Layers struct {
	// Identity are the policies of the user, its groups, or the role.
	Identity Layer
	// Boundary is the permissions boundary; nil without one.
	Boundary *Layer
	// Session are the session's own policies; nil without one.
	Session *Layer
	// Controls are the service control policies from the root down to the
	// caller's account, one layer a level, each of which must allow. Nil where
	// none apply: outside organisations, in the management account, for
	// service-linked roles.
	Controls []Layer
	// ResourceControls are the resource control policies on the resource's
	// account likewise.
	ResourceControls []Layer
	// Resource is the policy of the resource.
	Resource Layer
	// ResourceDecides says that without the resource's own policy nobody may
	// do anything: KMS keys and the trust policies of roles.
	ResourceDecides bool
	// ResourceAccount is whose the resource is; empty when that is not known.
	ResourceAccount string
}

// Evaluate decides the request.
func Evaluate(r Request, l Layers) Verdict {
	e := &evaluation{request: r, work: newWork()}
	if strings.EqualFold(r.Action, "sts:GetCallerIdentity") {
		// "No permissions are required", even against an explicit deny (STS API
		// reference).
		return Verdict{Decision: Allowed}
	}
	identity := e.layer(LayerIdentity, l.Identity, false)
	if r.Caller.Kind == Root {
		identity.allow = True
	}
	boundary, session := e.optional(LayerBoundary, l.Boundary), e.optional(LayerSession, l.Session)
	controls := e.levels(LayerControls, l.Controls)
	resource := e.layer(LayerResource, l.Resource, true)
	resourceControls := e.levels(LayerResourceControls, l.ResourceControls)

	denied := False
	for _, layer := range []outcome{identity, boundary, session, controls, resource, resourceControls} {
		denied = or(denied, layer.deny)
	}
	own := and(identity.allow, and(boundary.allow, session.allow))
	limits := and(and(controls.allow, resourceControls.allow), e.federated())
	inside := func() Truth {
		direct := or(resource.by.direct, and(resource.by.role, and(boundary.allow, session.allow)))
		if l.ResourceDecides {
			return or(direct, and(resource.by.account, own))
		}
		return or(direct, own)
	}
	var allowed Truth
	switch {
	case r.Caller.Account == "":
		// Services, federated identities and anyone have no policies of their own.
		allowed = resource.by.direct
	case l.ResourceAccount == r.Caller.Account:
		allowed = inside()
	case l.ResourceAccount != "":
		allowed = and(own, resource.by.any())
	default:
		allowed = inside()
		if across := and(own, resource.by.any()); across != allowed {
			allowed = Unknown
			e.verdict.Needs = append(e.verdict.Needs, Dependency{Reason: "whose account the resource is in is not known"})
		}
	}
	return e.conclude(denied, and(allowed, limits))
}

// federated limits what a user's own session may call: none of STS, and none of
// IAM except in the console (STS API reference, "GetFederationToken").
func (e *evaluation) federated() Truth {
	if !e.request.Caller.Federating {
		return True
	}
	service, _, _ := strings.Cut(strings.ToLower(e.request.Action), ":")
	switch service {
	case "sts":
		e.verdict.Layers = append(e.verdict.Layers, LayerVerdict{Layer: LayerSession, Level: "sessions of users", Allows: False, Denies: False})
		return False
	case "iam":
		e.verdict.Needs = append(e.verdict.Needs, Dependency{Reason: "a session that a user begins with a policy may call IAM in the console only, and it is not known whether this is the console"})
		return Unknown
	}
	return True
}

// evaluation gathers what one request comes to.
type evaluation struct {
	request Request
	work    *work
	verdict Verdict
}

// outcome is what a layer says.
type outcome struct {
	allow, deny Truth
	by          grades
}

// layer evaluates the statements of a layer.
func (e *evaluation) layer(kind LayerKind, l Layer, ofResource bool) outcome {
	o := outcome{allow: False, deny: False, by: grades{False, False, False}}
	for _, p := range l.Policies {
		for i := range p.Document.Statements {
			s := &p.Document.Statements[i]
			a := s.apply(e.request, ofResource, e.work)
			if a.applies == False {
				continue
			}
			e.verdict.Findings = append(e.verdict.Findings, Finding{
				Layer: kind, Level: l.Level, Policy: p.Name, PolicyID: p.ID, Statement: s.Key, Effect: s.Effect, Applies: a.applies, Needs: a.needs,
			})
			if s.Effect == Deny {
				o.deny = or(o.deny, a.applies)
				continue
			}
			o.allow = or(o.allow, a.applies)
			o.by = grades{or(o.by.direct, a.by.direct), or(o.by.role, a.by.role), or(o.by.account, a.by.account)}
		}
	}
	if len(l.Unread) > 0 {
		o.allow, o.deny = or(o.allow, Unknown), or(o.deny, Unknown)
		o.by = grades{or(o.by.direct, Unknown), or(o.by.role, Unknown), or(o.by.account, Unknown)}
	}
	e.verdict.Layers = append(e.verdict.Layers, LayerVerdict{Layer: kind, Level: l.Level, Allows: o.allow, Denies: o.deny, Unread: l.Unread})
	return o
}

// optional evaluates a layer that only limits: without one, all is allowed.
func (e *evaluation) optional(kind LayerKind, l *Layer) outcome {
	if l == nil {
		return outcome{allow: True, deny: False}
	}
	return e.layer(kind, *l, false)
}

// levels evaluates layers each of which must allow.
func (e *evaluation) levels(kind LayerKind, levels []Layer) outcome {
	all := outcome{allow: True, deny: False}
	for _, l := range levels {
		o := e.layer(kind, l, false)
		all.allow, all.deny = and(all.allow, o.allow), or(all.deny, o.deny)
	}
	return all
}
