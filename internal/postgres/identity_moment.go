package postgres

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// The columns of versioned tables of identities that questions read.
const (
	memberVersions     = "workspace_id, identity_id, principal_id, connection_id, run_id, correction_id, valid_from, valid_to"
	identifierVersions = "workspace_id, connection_id, principal_id, type, value, standing, first_run_id, valid_from, valid_to"
	splitVersions      = "workspace_id, correction_id, one_id, other_id, valid_from, valid_to"
)

// identityVersions completes a statement that asks {members}, and with them
// {splits}, or {identifiers}, and those of [graphView.versions], whose second parameter are the
// view's connections. Identifiers are versions of publications, as the graph is;
// the others are of the workspace, by its clock of identities, which is set as a
// publication becomes visible.
func (v *graphView) identityVersions(sql string, args []any) (string, []any) {
	members := "(select " + memberVersions + " from identity_members where valid_to is null)"
	splits := "(select " + splitVersions + " from identity_splits where valid_to is null)"
	identifiers := "(select " + identifierVersions + " from principal_identifiers where valid_to is null)"
	if v.past != nil && strings.Contains(sql, "{members}") {
		args = append(args, v.moment)
		moment := "$" + strconv.Itoa(len(args)) + "::timestamptz"
		members = "(select " + memberVersions + " from identity_members where valid_from <= " + moment + " and (valid_to is null or valid_to > " + moment + "))"
		splits = "(select " + splitVersions + " from identity_splits where valid_from <= " + moment + " and (valid_to is null or valid_to > " + moment + "))"
	}
	if v.past != nil && strings.Contains(sql, "{identifiers}") {
		args = append(args, v.past.cuts)
		identifiers = versionsAt("principal_identifiers", identifierVersions, "connection_id = any ($2)",
			"($"+strconv.Itoa(len(args))+"::timestamptz[])[array_position($2::bigint[], connection_id)]")
	}
	sql = strings.NewReplacer("{members}", members, "{identifiers}", identifiers, "{splits}", splits).Replace(sql)
	if !strings.Contains(sql, "{entities}") && !strings.Contains(sql, "{relationships}") {
		return sql, args
	}
	return v.versions(0, sql, args)
}

// ask asks about identities as the view shows them.
func (v *graphView) ask(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	sql, args = v.identityVersions(sql, args)
	return v.tx.Query(ctx, sql, args...)
}
