package pgserver

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSettingsPrecedence(t *testing.T) {
	t.Parallel()
	durable := settings(Config{Durable: true}, 5432)
	require.NotContains(t, durable, "fsync")
	require.Equal(t, "127.0.0.1", durable["listen_addresses"])

	fast := settings(Config{Settings: map[string]string{"work_mem": "1MB"}}, 5432)
	require.Equal(t, "off", fast["fsync"])
	require.Equal(t, "1MB", fast["work_mem"], "the caller has the last word")
}

func TestArgumentsAreStable(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"-c", "a=1", "-c", "b=two words"}, arguments(map[string]string{"b": "two words", "a": "1"}))
}

func TestShareKeepsItsBounds(t *testing.T) {
	t.Parallel()
	const gib = 1024 * mebibyte
	require.Equal(t, int64(64), share(0, 8, 64, 512), "unknown memory takes the least")
	require.Equal(t, int64(256), share(2*gib, 8, 64, 512))
	require.Equal(t, int64(512), share(24*gib, 8, 64, 512))
}

func TestMeminfoTotal(t *testing.T) {
	t.Parallel()
	require.Equal(t, int64(2048*1024), meminfoTotal("MemFree: 1 kB\nMemTotal:   2048 kB\n"))
	require.Zero(t, meminfoTotal(""))
	require.Zero(t, meminfoTotal("MemTotal: many kB\n"))
}
