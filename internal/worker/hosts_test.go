package worker_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/egress"
)

// A run's client reaches the hosts of its connector's provider alone: a custom
// endpoint that the operator did not allow is refused before any look-up, and
// the run says so.
func TestConnectorReachesItsProviderAlone(t *testing.T) {
	script := newScripted("a")
	script.hosts = []string{"*.provider.example"}
	script.open = func(settings connector.Settings) error {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://collector.evil.example/", http.NoBody)
		if err != nil {
			return err
		}
		response, err := settings.HTTPClient.Do(request)
		if err == nil {
			return response.Body.Close()
		}
		var blocked *egress.BlockedError
		require.ErrorAs(t, err, &blocked)
		require.Equal(t, egress.ReasonHost, blocked.Reason)
		require.False(t, blocked.Address.IsValid(), "nothing was looked up")
		return &connector.Error{Category: connector.NetworkUnreachable, Message: blocked.Error(), Cause: err}
	}
	play(t, script, func(s *stage) {
		finished := s.complete()
		require.NotNil(s, finished.Error)
		require.Equal(s, connector.NetworkUnreachable, finished.Error.Category)
		require.Contains(s, finished.Error.Message, "--endpoint-hosts")
	})
}

// hosted is a connector that names its provider's hosts.
func hosted() map[string]connector.Connector {
	script := newScripted()
	script.hosts = []string{"provider.example"}
	return map[string]connector.Connector{"scripted": script}
}
