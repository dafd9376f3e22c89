package app

import (
	"context"
	"errors"
	"sync"
)

// group runs functions side by side until their context ends. When one fails,
// the others are told to stop, and all are waited for.
type group struct {
	functions []func(ctx context.Context) error
}

func (g *group) add(fn func(ctx context.Context) error) { g.functions = append(g.functions, fn) }

func (g *group) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(g.functions))
	var all sync.WaitGroup
	for i, fn := range g.functions {
		all.Go(func() {
			if errs[i] = fn(ctx); errs[i] != nil {
				cancel()
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
