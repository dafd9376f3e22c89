package auditlog

import (
	"context"
	"errors"
)

// stream reads pages one item at a time.
type stream[T any] struct {
	read func(ctx context.Context, after int64) ([]T, error)
	// number is an item's place, by which reading goes on behind it.
	number func(T) int64
	page   []T
	last   int64
}

// next returns the next item; ok is false at the end.
func (s *stream[T]) next(ctx context.Context) (item T, ok bool, err error) {
	if more, err := s.more(ctx); err != nil || !more {
		return item, false, err
	}
	item, s.page = s.page[0], s.page[1:]
	return item, true, nil
}

// more reports whether there is another item. Where the end was reached before,
// it asks again.
func (s *stream[T]) more(ctx context.Context) (bool, error) {
	if len(s.page) > 0 {
		return true, nil
	}
	page, err := s.read(ctx, s.last)
	if err != nil || len(page) == 0 {
		return false, err
	}
	end := s.number(page[len(page)-1])
	if end <= s.last {
		return false, errors.New("the server repeats what it has listed before")
	}
	s.page, s.last = page, end
	return true, nil
}
