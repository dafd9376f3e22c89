package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// AccessChange is that access is not what it was at an earlier moment.
type AccessChange struct {
	// Change is gained, lost or changed.
	Change string `json:"change"`
	// Uncertain says that it may have been so before, or may be so still.
	Uncertain bool `json:"uncertain"`
	// Before and After are nil when nothing allowed it.
	Before      *Access        `json:"before"`
	After       *Access        `json:"after"`
	Steps       []Step         `json:"steps"`
	Reasons     []AccessReason `json:"reasons"`
	MoreReasons bool           `json:"more_reasons"`
}

// Row is the access at the later moment, or of what was lost, at the earlier one.
func (c AccessChange) Row() Access {
	switch {
	case c.After != nil:
		return *c.After
	case c.Before != nil:
		return *c.Before
	}
	return Access{}
}

// AccessReason is that an edge of a way is not what it was.
type AccessReason struct {
	// Change is added, first_observed, changed, removed, no_longer_observed or
	// expired.
	Change string     `json:"change"`
	At     *time.Time `json:"at"`
	RunID  string     `json:"run_id"`
	Kind   string     `json:"kind"`
	From   EntityRef  `json:"from"`
	To     EntityRef  `json:"to"`
	Before *Edge      `json:"before"`
	After  *Edge      `json:"after"`
}

// CompareFilter says which moments are compared, as [AccessFilter] says AsOf, and
// narrows the answer; empty fields do not narrow.
type CompareFilter struct {
	From, To     string
	Action, Type string
	// Change is gained, lost or changed.
	Change string
}

// ComparisonList is an answer about two moments.
type ComparisonList struct {
	List[AccessChange]
	// Subject is what was asked about; an identity has the kind Identity.
	Subject EntityRef
	// Basis is of the later moment, Before of the earlier one.
	Basis, Before Basis
}

// CompareWhoCan lists who gained and who lost reach of a resource.
func (c *Client) CompareWhoCan(ctx context.Context, resource string, f CompareFilter, pages Pages) (ComparisonList, error) {
	return c.compare(ctx, "/v1/access/resources/"+url.PathEscape(resource)+"/principals/compare", "resource", f, pages)
}

// CompareWhatCan lists what a principal or an account gained and lost.
func (c *Client) CompareWhatCan(ctx context.Context, principal string, f CompareFilter, pages Pages) (ComparisonList, error) {
	return c.compare(ctx, "/v1/access/principals/"+url.PathEscape(principal)+"/resources/compare", "principal", f, pages)
}

// CompareWhatIdentityCan lists what a person or workload gained and lost.
func (c *Client) CompareWhatIdentityCan(ctx context.Context, identity string, f CompareFilter, pages Pages) (ComparisonList, error) {
	return c.compare(ctx, "/v1/access/identities/"+url.PathEscape(identity)+"/resources/compare", "principal", f, pages)
}

func (c *Client) compare(ctx context.Context, path, subject string, f CompareFilter, pages Pages) (ComparisonList, error) {
	q := url.Values{}
	for name, value := range map[string]string{"from": f.From, "to": f.To, "action": f.Action, "type": f.Type, "change": f.Change} {
		if value != "" {
			q.Set(name, value)
		}
	}
	l, err := list[AccessChange](ctx, c, path, "changes", q, pages)
	if err != nil {
		return ComparisonList{}, err
	}
	answer := ComparisonList{List: l}
	var about struct {
		Before   Basis        `json:"before"`
		Identity *IdentityRef `json:"identity"`
	}
	err = errors.Join(json.Unmarshal(l.Raw, &answer.Basis), json.Unmarshal(l.Raw, &about), json.Unmarshal(l.Last[subject], &answer.Subject))
	if err != nil {
		return answer, fmt.Errorf("read what the answer is about: %w", err)
	}
	answer.Before, answer.Subject = about.Before, asked(answer.Subject, about.Identity)
	return answer, nil
}
