package model

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// Nothing that a worker sends holds a time, and nothing that it is told names a
// moment: leases and deadlines are lengths. So its clock cannot matter to the
// platform, nor the platform's to it.
func TestWorkersAndPlatformExchangeNoTimes(t *testing.T) {
	t.Parallel()
	for _, message := range []any{
		workerapi.ClaimRequest{},
		workerapi.Lease{},
		workerapi.Heartbeat{},
		workerapi.Reach{},
		workerapi.Finish{},
		workerapi.Header{},
		workerapi.Assignment{},
		workerapi.HeartbeatAnswer{},
		workerapi.ReachAnswer{},
		workerapi.Configuration{},
	} {
		fields := 0
		walk(reflect.TypeOf(message), map[reflect.Type]bool{}, func(path string, f reflect.Type) {
			fields++
			require.NotEqual(t, reflect.TypeFor[time.Time](), f, "%T has a time: %s", message, path)
		})
		require.Positive(t, fields)
	}
}

// walk visits every type inside of another.
func walk(t reflect.Type, known map[reflect.Type]bool, visit func(path string, t reflect.Type)) {
	if known[t] {
		return
	}
	known[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		visit(t.String(), t.Elem())
		walk(t.Elem(), known, visit)
	case reflect.Struct:
		for i := range t.NumField() {
			visit(t.String()+"."+t.Field(i).Name, t.Field(i).Type)
			walk(t.Field(i).Type, known, visit)
		}
	}
}
