package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
)

var errRefused = errors.New("verify takes no more pages")

// refusals refuses the first page of each partition; the process has to go on.
func (v *verification) refusals(ctx context.Context, plan connector.Plan) (string, error) {
	session, err := v.open(ctx, nil, nil)
	if err != nil {
		return "", err
	}
	defer letGo(session)
	for _, p := range plan.Partitions {
		r, err := v.newReading(p)
		if err != nil {
			return "", err
		}
		r.before = func(int) error { return errRefused }
		if err := session.Read(ctx, p, "", r); err != nil && !errors.Is(err, errRefused) {
			return "", fmt.Errorf("%s: %w", name(p), err)
		}
	}
	if _, err := session.Plan(ctx); err != nil {
		return "", fmt.Errorf("after pages were refused it does not plan any more: %w", err)
	}
	if restarts(session) > 0 {
		return "", errors.New("after a page was refused it did not answer cancelled in time, and its process had to be replaced")
	}
	return "ends a read whose page is refused, and goes on", session.Close()
}

// cancels cancels a read at its first page.
func (v *verification) cancels(ctx context.Context, plan connector.Plan) (string, error) {
	session, err := v.open(ctx, nil, nil)
	if err != nil {
		return "", err
	}
	defer letGo(session)
	p := plan.Partitions[0]
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := v.newReading(p)
	if err != nil {
		return "", err
	}
	r.before = func(int) error { cancel(); return nil }
	if err := session.Read(reading, p, "", r); err != nil && !errors.Is(err, context.Canceled) {
		return "", fmt.Errorf("%s: %w", name(p), err)
	}
	if _, err := session.Plan(ctx); err != nil {
		return "", fmt.Errorf("after a read was cancelled it does not plan any more: %w", err)
	}
	if restarts(session) > 0 {
		return "", errors.New("it did not end a cancelled read in time, and its process had to be replaced")
	}
	return "ends a read that is cancelled, and its process at the end of its input", session.Close()
}

// denials takes each permission away that the settings say how to.
func (v *verification) denials(ctx context.Context, plan connector.Plan, whole map[string]*reading) (string, error) {
	required := v.manifestOf().RequiredPermissions()
	for permission := range v.options.Settings.Denied {
		if !slices.Contains(required, permission) {
			return "", fmt.Errorf("the settings deny %s, which the manifest does not require", permission)
		}
	}
	var tried, untried []string
	for _, permission := range required {
		changes, ok := v.options.Settings.Denied[permission]
		if !ok {
			untried = append(untried, permission)
			continue
		}
		if err := errors.Join(v.checkDenied(ctx, permission, changes), v.readDenied(ctx, permission, changes, plan, whole)); err != nil {
			return "", fmt.Errorf("without %s: %w", permission, err)
		}
		tried = append(tried, permission)
	}
	if len(tried) == 0 {
		return "", skipped(`the settings do not say how to take permissions away; "denied" does`)
	}
	detail := "says what is missing without " + strings.Join(tried, ", ")
	if len(untried) > 0 {
		detail += "; not tried: " + strings.Join(untried, ", ")
	}
	return detail, nil
}

// checkDenied wants a check that names the permission.
func (v *verification) checkDenied(ctx context.Context, permission string, changes map[string]any) error {
	session, err := v.open(ctx, changes, nil)
	if err != nil {
		return err
	}
	defer letGo(session)
	found, err := session.Check(ctx)
	if err != nil {
		return fmt.Errorf("the check fails, where it should say what is missing: %w", err)
	}
	if !slices.ContainsFunc(found.Remediation, func(r connector.Remediation) bool {
		return r.Category == connector.RemedyPermissions && strings.Contains(r.Message, permission) && r.Action != ""
	}) {
		return errors.New(`no remediation of the category "permissions" names it, with an action`)
	}
	for _, s := range v.manifestOf().Streams {
		if !slices.ContainsFunc(s.Permissions, func(p connector.Permission) bool { return p.Name == permission }) {
			continue
		}
		if !s.Optional && found.Sufficient {
			return fmt.Errorf("the check calls itself sufficient, and the stream %q is not optional", s.Name)
		}
		if slices.ContainsFunc(found.Streams, func(o connector.StreamOutlook) bool { return o.Stream == s.Name && o.Coverage == connector.Complete }) {
			return fmt.Errorf("the check says that the stream %q would be complete", s.Name)
		}
	}
	return nil
}

// readDenied wants a read that does not pass over what is missing in silence.
func (v *verification) readDenied(ctx context.Context, permission string, changes map[string]any, plan connector.Plan, whole map[string]*reading) error {
	now, read, errs, err := v.readAll(ctx, changes, nil)
	if err != nil {
		return err
	}
	for _, lost := range names(plan) {
		if now.Complete && !slices.Contains(names(now), lost) {
			return fmt.Errorf("the plan lacks %s and calls itself complete", lost)
		}
	}
	told := false
	for _, p := range now.Partitions {
		switch failure := errs[name(p)]; {
		case p.Skip != nil:
			told = told || p.Skip.Permission == permission
		case failure != nil:
			if e := connector.AsError(failure); e.Category != connector.PermissionDenied {
				return fmt.Errorf("the read of %s ends with %s and not with %s: %w", name(p), e.Category, connector.PermissionDenied, failure)
			}
			told = true
		default:
			gaps := read[name(p)].gaps()
			told = told || slices.ContainsFunc(gaps, func(g connector.Error) bool { return g.Permission == permission })
			if was, ok := whole[name(p)]; ok && len(gaps) == 0 {
				if err := differ(was.pages, read[name(p)].pages); err != nil {
					return fmt.Errorf("%s differs and does not say so: %w", name(p), err)
				}
			}
		}
	}
	if !told {
		return errors.New("no skipped partition, gap or error of the read names it")
	}
	return nil
}

// throttles reads from a provider that refuses calls, as patiently as a worker.
func (v *verification) throttles(ctx context.Context, plan connector.Plan, whole map[string]*reading) (string, error) {
	if v.options.Settings.Throttled == nil {
		return "", skipped(`the settings do not say how to have calls refused; "throttled" does`)
	}
	l := &ledger{most: -1}
	session, err := v.open(ctx, v.options.Settings.Throttled, l)
	if err != nil {
		return "", err
	}
	defer letGo(session)
	refusals := 0
	for _, p := range plan.Partitions {
		r, err := v.newReading(p)
		if err != nil {
			return "", err
		}
		const patience = 100
		for try := 0; ; try++ {
			var from connector.Cursor
			if n := len(r.pages); n > 0 {
				from = r.pages[n-1].Next
			}
			err := session.Read(ctx, p, from, r)
			if err == nil {
				break
			}
			if e := connector.AsError(err); e.Category != connector.Throttled || try == patience {
				return "", fmt.Errorf("%s: %w", name(p), err)
			}
			refusals++
		}
		if err := differ(whole[name(p)].pages, r.pages); err != nil {
			return "", fmt.Errorf("%s differs when calls are refused: %w", name(p), err)
		}
	}
	if len(v.manifestOf().ThrottleScopes) > 0 && l.refused() == 0 {
		return "", fmt.Errorf("%d reads were refused for their rate and the budget was not told", refusals)
	}
	return fmt.Sprintf("reads everything although %d reads were refused for their rate", refusals), nil
}

// budgets checks that leave is asked for by declared scopes, given back, and that a
// refusal ends the read.
func (v *verification) budgets(ctx context.Context) (string, error) {
	m := v.manifestOf()
	if len(m.ThrottleScopes) == 0 {
		return "", skipped("the manifest declares no throttle scopes")
	}
	l := &ledger{most: -1}
	plan, _, errs, err := v.readAll(ctx, nil, l)
	if err == nil {
		err = first(plan, errs)
	}
	if err != nil {
		return "", err
	}
	if err := l.wrong(m); err != nil {
		return "", err
	}
	taken := l.count()
	short := &ledger{most: taken / 2}
	plan, _, errs, err = v.readAll(ctx, nil, short)
	if err == nil {
		err = first(plan, errs)
	}
	if e := connector.AsError(err); e == nil || e.Category != connector.Throttled || e.RetryAfter != time.Hour {
		got := "none"
		if err != nil {
			got = said(err)
		}
		return "", errors.New("when the budget refuses a call, the read does not end with the budget's error; it ended with: " + got)
	}
	return fmt.Sprintf("asks for leave before %d calls, and stops without it", taken), nil
}

// ledger is a budget that allows some calls, or all, and notes them.
type ledger struct {
	mu              sync.Mutex
	uses            []connector.Use
	taken, released int
	told            int
	// most is how many calls are allowed; negative for any number.
	most int
}

// Take allows a call.
func (l *ledger) Take(ctx context.Context, uses ...connector.Use) (release func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.most >= 0 && l.taken >= l.most {
		return nil, &connector.Error{Category: connector.Throttled, Message: "the budget is used up", RetryAfter: time.Hour}
	}
	l.taken++
	l.uses = append(l.uses, uses...)
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.released++
	}), ctx.Err()
}

// Throttled notes that the provider refused a call.
func (l *ledger) Throttled(context.Context, time.Duration, ...connector.Use) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told++
}

func (l *ledger) refused() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.told
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken
}

// wrong says what is wrong with what was taken.
func (l *ledger) wrong(m connector.Manifest) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range l.uses {
		scope, ok := m.ThrottleScope(u.Scope)
		switch {
		case !ok:
			return fmt.Errorf("a call takes from the scope %q, which the manifest does not declare", u.Scope)
		case len(u.Key) != len(scope.Key) || slices.Contains(u.Key, ""):
			return fmt.Errorf("a call takes from the scope %q with a key that is not %s", u.Scope, strings.Join(scope.Key, ", "))
		case u.Cost() > scope.Limit.Burst:
			return fmt.Errorf("a call takes %d from the scope %q, more than there ever is", u.Cost(), u.Scope)
		}
	}
	switch {
	case l.taken == 0:
		return errors.New("the manifest declares throttle scopes, and no call asks for leave")
	case l.taken != l.released:
		return fmt.Errorf("%d calls had leave and %d gave it back", l.taken, l.released)
	}
	return nil
}
