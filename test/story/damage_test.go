package story

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// damagedCredentials alters stored credentials behind the services' backs, every
// column that a credential is opened by, in ways drawn anew each time. A test
// then says that the credential is invalid, a change asks for the secrets again,
// and whoever enters them has a sound connection.
func damagedCredentials(t *testing.T, p *plane) {
	c := newCloud(t, 23)
	conn := p.connect(t, "Damaged", c.configuration(nil))
	other := p.connect(t, "Damaged: the other", c.configuration(nil))
	columns := map[string]string{} // with their types; what a row is found by, and when it was written, is not part of it
	for _, column := range []string{"bytea", "text", "bigint"} {
		names := execute(t, p.database, `select coalesce(string_agg(column_name, ','), '') from information_schema.columns where table_name = 'credentials'
			and data_type = $1 and column_name not in ('workspace_id', 'connection_id', 'type')`, column)
		for _, name := range splitList(names) {
			columns[name] = column
		}
	}
	require.Subset(t, sortedNames(columns), []string{"algorithm", "wrapper", "kms_key_id", "wrapped_key", "nonce", "ciphertext", "version", "schema_version"})
	restore := "update credentials c set (" + joined(sortedNames(columns)) + ") = (select " + joined(sortedNames(columns)) + " from sound where connection_id = c.connection_id) where connection_id = $1"
	execute(t, p.database, "create table sound as select * from credentials")
	defer execute(t, p.database, "drop table sound")

	for _, column := range sortedNames(columns) {
		seen := 0
		for seed := range 3 {
			execute(t, p.database, restore, number(conn))
			damage := damageOf(columns[column]).Example(seed)
			if damage == "" { // the other row's
				damage = "(select " + column + " from sound where connection_id = " + fmt.Sprint(number(other)) + ")"
			}
			damage = strings.ReplaceAll(damage, "{column}", column)
			sql := "update credentials set " + column + " = " + damage + " where connection_id = $1 and " + column + " is distinct from " + damage + " returning 'damaged'"
			if column == "wrapper" || column == "kms_key_id" { // names of keys that there are
				execute(t, p.database, "insert into encryption_keys (wrapper, key_id) select case when $1 = 'wrapper' then 'awskms' else wrapper end, case when $1 = 'kms_key_id' then 'another' else kms_key_id end from sound limit 1 on conflict do nothing", column)
				sql = "update credentials set " + column + " = '" + map[string]string{"wrapper": "awskms", "kms_key_id": "another"}[column] + "' where connection_id = $1 returning 'damaged'"
			}
			if execute(t, p.database, sql, number(conn)) == "" {
				continue // as it was
			}
			seen++
			tested := p.test(t, conn)
			require.Equal(t, "failure", tested.Status, "%s: %s", column, sql)
			require.Equal(t, "credential_missing", tested.ReasonCode, "%s: %s", column, sql)
			status, text := p.send(t, http.MethodPatch, "/v1/connections/"+conn, `{"configuration":{"region":"eu-central-1"}}`)
			require.Equal(t, http.StatusUnprocessableEntity, status, "%s: %s", column, text)
			require.Contains(t, text, "configuration.secret_access_key")
		}
		require.Positive(t, seen, column)
	}
	execute(t, p.database, "delete from credentials where connection_id = $1 returning 'gone'", number(conn))
	requireReason(t, p.discover(t, conn), "failed", "credential_missing", "Enter the credentials")
	p.edit(t, conn, map[string]any{"access_key_id": c.Summary().Auditor.AccessKeyID, "secret_access_key": c.Summary().Auditor.SecretAccessKey})
	tested := p.test(t, conn)
	require.Equal(t, "success", tested.Status, "%+v", tested)
	require.Equal(t, "succeeded", p.discover(t, conn).Outcome)
}

// damageOf draws SQL that makes another value of a column, in which {column} is its
// name; empty for another row's.
func damageOf(kind string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		at := rapid.IntRange(0, 7).Draw(t, "bit")
		switch kind {
		case "bytea":
			return rapid.SampledFrom([]string{
				fmt.Sprintf("set_bit({column}, %d, 1 - get_bit({column}, %d))", at, at), "substring({column} for length({column}) - 1)", "{column} || '\\x00'::bytea", "''::bytea", "",
			}).Draw(t, "damage")
		case "bigint":
			return fmt.Sprintf("{column} + %d", at+1)
		}
		return rapid.SampledFrom([]string{"'another'", "{column} || 'x'", "''", "upper({column}) || chr(1)", "repeat('x', 5000)"}).Draw(t, "damage")
	})
}

func sortedNames(columns map[string]string) []string { return slices.Sorted(maps.Keys(columns)) }

func joined(names []string) string { return strings.Join(names, ", ") }

func splitList(text string) []string {
	return slices.DeleteFunc(strings.Split(text, ","), func(name string) bool { return name == "" })
}
