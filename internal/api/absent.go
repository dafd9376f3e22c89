package api

import "time"

// UTC is a time as answers write it; nil, which is null, stays so.
func UTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

// NotZero is a value, or nil, which is null, for the zero value: what does not apply.
func NotZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
