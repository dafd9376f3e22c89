package postgres

import (
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// notFound says what is missing when err is that there is no row, and leaves
// every other error as it is.
func notFound(err error, format string, args ...any) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.Wrap(fault.NotFound, err, format, args...)
	}
	return err
}
