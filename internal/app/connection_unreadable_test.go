package app

import (
	"net/http"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/fault"
)

func TestNoSecretThatDoesNotOpenIsLostInAPatch(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	path := "/v1/connections/" + b.newConnection(t, "Prod AWS")
	patch := func(configuration string) answer {
		return b.builder(t, http.MethodPatch, path, `{"configuration":`+configuration+`}`)
	}
	require.Equal(t, http.StatusOK, patch(`{"session_token":"a-token-that-is-optional"}`).status)
	_, err := b.super.Exec(t.Context(), `update credentials set ciphertext = overlay(ciphertext placing '\x00'::bytea from 5)`)
	require.NoError(t, err)
	got := patch(`{"secret_access_key":"another-secret-key-of-forty-characters-0"}`)
	require.Equal(t, http.StatusUnprocessableEntity, got.status, got.text)
	require.Contains(t, got.text, "session_token")
	got = patch(`{"secret_access_key":"another-secret-key-of-forty-characters-0","session_token":null}`)
	require.Equal(t, http.StatusOK, got.status, got.text)
}

func TestDiscoverysRefusalsArePassedOn(t *testing.T) {
	t.Parallel()
	limited := fromDiscovery(t.Context(), &client.Problem{Status: http.StatusTooManyRequests, Detail: "too many requests", RetryAfter: "7"})
	require.Equal(t, http.StatusTooManyRequests, api.Problem(t.Context(), limited).GetStatus())
	var headed huma.HeadersError
	require.ErrorAs(t, limited, &headed)
	require.Equal(t, "7", headed.GetHeaders().Get("Retry-After"))
	require.Equal(t, fault.Invalid, fault.KindOf(fromDiscovery(t.Context(), &client.Problem{Status: http.StatusUnprocessableEntity})))
}
