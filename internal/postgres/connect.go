package postgres

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// Classes of PostgreSQL's codes for why nobody gets in.
const (
	classAuthorization = "28"
	codeNoDatabase     = "3D000"
)

// ExplainConnect gives a failure to connect the kind that it has for whoever
// named the database: the URL is Invalid, a refused login Unauthenticated, a
// database that is not there NotFound, a server that does not answer Unavailable.
// To the callers of a service all of them are Unavailable; this is for operators,
// who are told the reason in one line. Other errors stay as they are.
func ExplainConnect(err error) error {
	var unreadable *pgconn.ParseConfigError
	if errors.As(err, &unreadable) {
		return fault.New(fault.Invalid, "the database URL cannot be read; want one such as postgres://user@host:5432/gatehouse")
	}
	var connect *pgconn.ConnectError
	if !errors.As(err, &connect) || errors.Is(err, context.Canceled) {
		return err
	}
	var said *pgconn.PgError
	if errors.As(err, &said) {
		switch {
		case strings.HasPrefix(said.Code, classAuthorization):
			return fault.New(fault.Unauthenticated, "the database does not let %s in: %s", connect.Config.User, said.Message)
		case said.Code == codeNoDatabase:
			return fault.New(fault.NotFound, "there is no such database: %s", said.Message)
		}
		return fault.New(fault.Unavailable, "the database is not available: %s", said.Message)
	}
	// The text of the whole names each address once for each way of encryption.
	reason := errors.Unwrap(connect)
	var network *net.OpError
	if errors.As(err, &network) {
		reason = network
	}
	return fault.New(fault.Unavailable, "the database does not answer: %v", reason)
}
