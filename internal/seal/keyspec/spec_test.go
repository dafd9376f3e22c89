package keyspec_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/seal/keyspec"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	s, err := keyspec.Parse("local:/etc/gate house/local?.key")
	require.NoError(t, err)
	require.Equal(t, keyspec.Local, s.Kind)
	require.Equal(t, "/etc/gate house/local?.key", s.Name, "a path is taken as it is")

	s, err = keyspec.Parse("awskms:arn:aws:kms:eu-west-1:111122223333:key/1?endpoint=https%3A%2F%2Fkms&profile=p")
	require.NoError(t, err)
	require.Equal(t, "arn:aws:kms:eu-west-1:111122223333:key/1", s.Name)
	require.Equal(t, "https://kms", s.Option("endpoint"))
	require.NoError(t, s.Allow("endpoint", "profile"))
	require.ErrorContains(t, s.Allow("endpoint"), "has no option profile; its options are endpoint")
	require.ErrorContains(t, s.Allow(), "takes no options")

	s, err = keyspec.Parse("vault:transit/k?address=https://vault:8200&address=https://other")
	require.NoError(t, err)
	require.ErrorContains(t, s.Allow("address"), "more than once")

	for text, want := range map[string]string{
		"":                "names no key",
		"local":           "names no key",
		"/etc/local.key":  "keys are named local:FILE, awskms:KEY-ARN",
		"LOCAL:/x":        "names no key",
		"local:":          "lacks the name",
		"vault:?a=b":      "lacks the name",
		"vault:x?a=%zz":   "cannot be read",
		"gcp:projects/p/": "names no key",
	} {
		_, err := keyspec.Parse(text)
		require.ErrorContains(t, err, want, text)
	}
}
