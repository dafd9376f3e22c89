package identifier_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/identifier"
)

func TestNormalForms(t *testing.T) {
	t.Parallel()
	const guid = "6F9619FF-8B86-D011-B42D-00CF4FC964FF"
	for _, c := range []struct {
		of       connector.IdentifierType
		value    string
		want     string
		standing identifier.Standing
	}{
		{connector.Email, " Ann@Example.COM ", "ann@example.com", identifier.Verified},
		{connector.Email, "ann@bücher.example", "ann@xn--bcher-kva.example", identifier.Verified},
		{connector.Email, "ann@example.com.", "ann@example.com", identifier.Verified},
		{connector.Email, "ann+shop@example.com", "ann+shop@example.com", identifier.Verified},
		{connector.Email, "a.nn@example.com", "a.nn@example.com", identifier.Verified},
		{connector.Email, `"a@b"@example.com`, `"a@b"@example.com`, identifier.Verified},
		{connector.Email, "\u212Aate@example.com", "\u212Aate@example.com", identifier.Verified},
		{connector.Email, "Help-Desk@example.com", "help-desk@example.com", identifier.Weak},
		{connector.Email, "no.reply+7@example.com", "no.reply+7@example.com", identifier.Weak},
		{connector.Email, "ann", "ann", identifier.Weak},
		{connector.Email, "@example.com", "@example.com", identifier.Weak},
		{connector.UserPrincipalName, "Admin@Example.com", "admin@example.com", identifier.Verified},
		{connector.UserPrincipalName, "ann_example.com#EXT#@other.onmicrosoft.com", "ann_example.com#ext#@other.onmicrosoft.com", identifier.Verified},
		{connector.EmployeeID, " A12 ", "A12", identifier.Verified},
		{connector.EmployeeID, "a12", "a12", identifier.Verified},
		{connector.EmployeeID, "00000", "00000", identifier.Weak},
		{connector.EmployeeID, "N/A", "N/A", identifier.Weak},
		{connector.ImmutableID, guid, strings.ToLower(guid), identifier.Verified},
		{connector.ImmutableID, "gfCRvjLHd0aJ==", "gfCRvjLHd0aJ==", identifier.Verified},
	} {
		got, ok := identifier.Of(connector.Identifier{Type: c.of, Value: c.value})
		require.True(t, ok)
		require.Equal(t, identifier.Form{Type: c.of, Value: c.want, Standing: c.standing}, got, c.value)
	}
	_, ok := identifier.Of(connector.Identifier{Type: connector.Email, Value: "  "})
	require.False(t, ok)
}

func TestUnverifiedStaysSo(t *testing.T) {
	t.Parallel()
	got, _ := identifier.Of(connector.Identifier{Type: connector.Email, Value: "ann@example.com", Unverified: true})
	require.Equal(t, identifier.Unverified, got.Standing)
	got, _ = identifier.Of(connector.Identifier{Type: connector.Email, Value: "info@example.com", Unverified: true})
	require.Equal(t, identifier.Weak, got.Standing)
}

// A normal form is its own, and only ASCII letters, space around, and the way a
// domain is written tell apart what has the same one.
func TestNormalFormsAreStable(t *testing.T) {
	t.Parallel()
	types := []connector.IdentifierType{connector.Email, connector.UserPrincipalName, connector.EmployeeID, connector.ImmutableID}
	rapid.Check(t, func(t *rapid.T) {
		i := connector.Identifier{Type: rapid.SampledFrom(types).Draw(t, "type"), Value: rapid.String().Draw(t, "value")}
		once, ok := identifier.Of(i)
		if !ok {
			return
		}
		twice, ok := identifier.Of(connector.Identifier{Type: i.Type, Value: once.Value})
		require.True(t, ok)
		require.Equal(t, once, twice)
		if i.Type == connector.EmployeeID {
			require.Equal(t, strings.TrimSpace(i.Value), once.Value)
		}
		if at := strings.LastIndexByte(strings.TrimSpace(i.Value), '@'); i.Type == connector.Email && at > 0 {
			require.True(t, strings.EqualFold(strings.TrimSpace(i.Value)[:at], once.Value[:at]))
		}
	})
}
