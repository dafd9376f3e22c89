package aws

import (
	"context"
	"strings"

	"golang.org/x/sync/errgroup"
)

// answer is a resource's policy text, or why it cannot be had.
type answer struct {
	text string
	err  error
}

// The ways that asking for a resource's policy ends, as an attribute of it.
const (
	policyRead       = "read"
	policyNone       = "none"
	policyDenied     = "denied"
	policyUnreadable = "unreadable"
)

func (a answer) status() string {
	switch {
	case a.err != nil:
		return policyDenied
	case strings.TrimSpace(a.text) == "":
		return policyNone
	case plainDocument(a.text) == nil:
		return policyUnreadable
	}
	return policyRead
}

// sideBySide asks for the policies of a page of resources at the same time. A
// missing permission on one is part of its answer; another failure ends all.
func sideBySide[T any](ctx context.Context, items []T, ask func(context.Context, T) (string, error)) ([]answer, error) {
	answers := make([]answer, len(items))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(policyConcurrency)
	for i, item := range items {
		group.Go(func() error {
			text, err := ask(gctx, item)
			if _, denied := isDenied(err); err != nil && !denied {
				return err
			}
			answers[i] = answer{text, err}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, contextFirst(ctx, err)
	}
	return answers, nil
}
