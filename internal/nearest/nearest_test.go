package nearest_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/nearest"
)

func TestNameFindsWhatWasMeant(t *testing.T) {
	t.Parallel()
	known := []string{"access_key_id", "region", "secret_access_key"}
	for given, want := range map[string]string{
		"regoin": "region", "REGION": "region", "secret_acces_key": "secret_access_key", "acces_keyid": "access_key_id",
		"colour": "", "": "", "qqqqqqqqqqqqqqqqqqqqq": "",
	} {
		require.Equal(t, want, nearest.Name(given, known), given)
	}
	require.Empty(t, nearest.Name("region", nil))
}

func TestOneSlipIsAlwaysFound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z]{4,20}`).Draw(t, "name")
		at := rapid.IntRange(0, len(name)-1).Draw(t, "at")
		slip := rapid.SampledFrom([]string{"", "_", "__"}).Draw(t, "slip")
		require.Equal(t, name, nearest.Name(name[:at]+slip+name[at+1:], []string{"1234567890123456789012345", name}))
	})
}
