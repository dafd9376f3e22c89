package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/gatehouse-project/gatehouse/internal/cli/form"
	"github.com/gatehouse-project/gatehouse/internal/cli/login"
	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/nearest"
)

// The statuses a command exits with. docs/cli.md and the help tell them.
const (
	exitOK = 0
	// exitFailure is every failure without a status of its own.
	exitFailure = 1
	// exitUsage means that the command line is not understood, or that what it gives
	// is not valid: the same whether it is found here or by the server.
	exitUsage = 2
	// exitNotFound means that there is no such thing, or none the key may see.
	exitNotFound = 3
	// exitDenied means that the key is not accepted or may not do this.
	exitDenied = 4
	// exitStopped means that the gate did not let a run start, that a run or test
	// did not succeed, or that the audit log or a connector does not verify.
	exitStopped = 5
	// exitUnavailable means that the server cannot be reached or cannot work now.
	exitUnavailable = 6
	// exitInterrupted is the shells' status for Ctrl-C.
	exitInterrupted = 130
	// exitTerminated is the shells' status for SIGTERM.
	exitTerminated = 143
)

// usageError is a mistake in the command line that kong cannot see.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func usagef(format string, args ...any) error {
	return &usageError{message: fmt.Sprintf(format, args...)}
}

// parseText is kong's message without what only its own tables mean: the empty
// choice that stands for a flag left out, and the sort of token it met. To a value
// that is none of a list it adds the one that was probably meant.
func parseText(message string) string {
	message = strings.NewReplacer(`,"" but got`, ` but got`, `must be one of "",`, `must be one of `, " (short flag)", "").Replace(message)
	choices, given, enumerated := strings.Cut(message, " but got ")
	_, choices, listed := strings.Cut(choices, " must be one of ")
	if enumerated && listed {
		known := strings.Split(strings.Trim(choices, `"`), `","`)
		if near := nearest.Name(strings.Trim(given, `"`), known); near != "" {
			message += fmt.Sprintf(", did you mean %q?", near)
		}
	}
	return message
}

// notFoundError says that nothing has the name that was given.
type notFoundError struct{ message string }

func (e *notFoundError) Error() string { return e.message }

// notSignedIn says that a command needs a session, and nobody signed in.
func notSignedIn(detail string) error {
	return &client.Problem{Status: http.StatusUnauthorized, Detail: "you are not signed in: " + detail}
}

// noKey says that nothing was given to be known by.
func noKey() error {
	return &client.Problem{
		Status: http.StatusUnauthorized,
		Detail: "the API key is missing: set GATEHOUSE_API_KEY, name the file that holds it with --key-file, or sign in with gatehouse login",
	}
}

// stopped ends a command whose output has told already what went wrong.
type stopped struct{ status int }

func (e *stopped) Error() string { return fmt.Sprintf("ended with status %d", e.status) }

// interrupted is why the context of a command ended.
type interrupted struct{ signal syscall.Signal }

func (e *interrupted) Error() string { return e.signal.String() }

func (e *interrupted) status() int {
	if e.signal == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupted
}

// statusOf returns the status for an error.
func statusOf(err error) int {
	var (
		quiet       *stopped
		usage       *usageError
		input       *form.InputError
		parse       *kong.ParseError
		missing     *notFoundError
		problem     *client.Problem
		unreachable *client.Unreachable
		down        *login.UnavailableError
		own         *fault.Error
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &quiet):
		return quiet.status
	case errors.As(err, &usage), errors.As(err, &input), errors.As(err, &parse):
		return exitUsage
	case errors.As(err, &missing):
		return exitNotFound
	case errors.As(err, &problem):
		return statusOfProblem(problem.Status)
	case errors.As(err, &unreachable), errors.As(err, &down), errors.Is(err, context.DeadlineExceeded):
		return exitUnavailable
	case errors.As(err, &own):
		return statusOfFault(own.Kind)
	}
	return exitFailure
}

// statusOfFault is statusOf for what a part of the platform found that runs in
// this process. What it was given, it was given on the command line.
func statusOfFault(kind fault.Kind) int {
	switch kind {
	case fault.Invalid:
		return exitUsage
	case fault.Unauthenticated, fault.Forbidden:
		return exitDenied
	case fault.NotFound:
		return exitNotFound
	case fault.Unavailable:
		return exitUnavailable
	}
	return exitFailure
}

func statusOfProblem(status int) int {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return exitUsage
	case http.StatusUnauthorized, http.StatusForbidden:
		return exitDenied
	case http.StatusNotFound:
		return exitNotFound
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return exitUnavailable
	}
	return exitFailure
}
