package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	openfgav1 "github.com/openfga/api/proto/openfga/v1"
	"golang.org/x/sync/errgroup"
)

const (
	// writeTuples is the most that OpenFGA takes in one Write.
	writeTuples = 100
	writers     = 8
)

// load writes tuples until the line that ends them, and says how many they were
// and how long it took.
func (s *store) load(ctx context.Context, lines *json.Decoder) (n int, took time.Duration, err error) {
	serving, err := s.server(0)
	if err != nil {
		return 0, 0, err
	}
	begun := time.Now()
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	write := func(tuples []*openfgav1.TupleKey) {
		n += len(tuples)
		group.Go(func() error {
			_, err := serving.Write(within, &openfgav1.WriteRequest{
				StoreId: s.id, AuthorizationModelId: s.model, Writes: &openfgav1.WriteRequestWrites{TupleKeys: tuples},
			})
			return err
		})
	}
	var tuples []*openfgav1.TupleKey
	for within.Err() == nil {
		var one input
		if err := lines.Decode(&one); err != nil {
			return 0, 0, errors.Join(fmt.Errorf("read a tuple: %w", err), group.Wait())
		}
		if one.Loaded {
			break
		}
		if tuples = append(tuples, &openfgav1.TupleKey{User: one.User, Relation: one.Relation, Object: one.Object}); len(tuples) == writeTuples {
			write(tuples)
			tuples = nil
		}
	}
	if len(tuples) > 0 {
		write(tuples)
	}
	if err := group.Wait(); err != nil {
		return 0, 0, fmt.Errorf("write tuples: %w", err)
	}
	took = time.Since(begun)
	return n, took, s.settle(ctx)
}
