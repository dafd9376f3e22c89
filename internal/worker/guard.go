package worker

import (
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/gatehouse-project/gatehouse/connector"
)

// guard calls into a connector. A panic becomes an error of category internal;
// its value and stack go to the log only.
func (e *execution) guard(what string, call func() error) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			e.log.ErrorContext(e.hold, "the connector panicked", slog.String("in", what),
				slog.String("panic", fmt.Sprint(thrown)), slog.String("stack", string(debug.Stack())))
			err = &connector.Error{Category: connector.Internal, Message: "the connector failed unexpectedly in " + what}
		}
	}()
	return call()
}
