package app

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// What goes wrong between a command and the database has the kind that its exit
// status is made of, and one line without the password.
func TestOperatorsAreToldWhyTheDatabaseIsNotReached(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	good := b.database.URL("svc_integration")
	changed := func(change func(*url.URL)) string {
		u, err := url.Parse(good)
		require.NoError(t, err)
		change(u)
		return u.String()
	}
	for name, c := range map[string]struct {
		url  string
		kind fault.Kind
		says string
	}{
		"down":              {"postgres://x:hunter2@127.0.0.1:1/z", fault.Unavailable, "connection refused"},
		"another password":  {changed(func(u *url.URL) { u.User = url.UserPassword("svc_integration", "hunter2") }), fault.Unauthenticated, "does not let svc_integration in"},
		"no such role":      {changed(func(u *url.URL) { u.User = url.UserPassword("nobody", "hunter2") }), fault.Unauthenticated, "does not let nobody in"},
		"no such database":  {changed(func(u *url.URL) { u.Path = "/nope" }), fault.NotFound, "there is no such database"},
		"no URL":            {"nonsense", fault.Invalid, "the database URL cannot be read"},
		"a URL with a slip": {"postgres://x:hunter2@127.0.0.1:port/z", fault.Invalid, "the database URL cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, listed := ListKeys(t.Context(), KeysConfig{DatabaseURL: c.url})
			for _, err := range []error{listed, Migrate(t.Context(), c.url, nil, ""), RetireKey(t.Context(), c.url, "local", "local:1")} {
				require.Equal(t, c.kind, fault.KindOf(err), "%v", err)
				require.ErrorContains(t, err, c.says)
				require.NotContains(t, err.Error(), "hunter2")
				require.Equal(t, 1, strings.Count(err.Error()+"\n", "\n"), "one line: %v", err)
			}
		})
	}
	err := RetireKey(t.Context(), good, "local", "local:99")
	require.Equal(t, fault.NotFound, fault.KindOf(err), "%v", err)
}
