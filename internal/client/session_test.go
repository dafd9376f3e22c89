package client_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// A session that has ended is renewed once, and the request made again, whole.
func TestEndedSessionIsRenewedOnce(t *testing.T) {
	t.Parallel()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Authorization")+" "+r.Header.Get("Gatehouse-Workspace"))
		if r.Header.Get("Authorization") != "Bearer gs_new" {
			write(w, http.StatusUnauthorized, `{"status":401,"detail":"ended"}`)
			return
		}
		write(w, http.StatusCreated, `{"invitation_id":"inv_1"}`)
	}))
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, secret.FromString("gs_old"), "1")
	require.NoError(t, err)
	renewed := 0
	next := "gs_new"
	c = c.InWorkspace("w_3").Renewing(func(context.Context) (secret.Secret, error) {
		renewed++
		return secret.FromString(next), nil
	})
	a, err := c.Invite(t.Context(), client.InvitationDraft{Email: "a@b.c", Role: "viewer"})
	require.NoError(t, err)
	require.Equal(t, "inv_1", a.Value.InvitationID)
	require.Equal(t, []string{"Bearer gs_old w_3", "Bearer gs_new w_3"}, asked)

	next = "gs_old"
	_, err = c.WhoAmI(t.Context())
	var refused *client.Problem
	require.ErrorAs(t, err, &refused)
	require.Equal(t, 2, renewed, "not again and again")
}
