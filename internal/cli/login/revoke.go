package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

// ErrNoRevocation says that the provider's discovery document names no endpoint
// for revocations.
var ErrNoRevocation = errors.New("the identity provider has no revocation endpoint")

// Revoke has the provider end a refresh token and what was issued with it (RFC
// 7009). One that the provider does not know any more is revoked, too.
func (p Provider) Revoke(ctx context.Context, refresh string) error {
	ctx, d, err := p.discover(ctx)
	if err != nil {
		return err
	}
	if d.revocation == "" {
		return ErrNoRevocation
	}
	form := url.Values{"token": {refresh}, "token_type_hint": {"refresh_token"}, "client_id": {p.ClientID}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.revocation, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("ask for the revocation: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := newClient(p.Issuer).Do(req)
	if err != nil {
		return describe("revoke the refresh token", err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		return nil
	}
	var refused struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.NewDecoder(res.Body).Decode(&refused) != nil || refused.Code == "" {
		return fmt.Errorf("revoke the refresh token: the identity provider answered %s", res.Status)
	}
	return fmt.Errorf("revoke the refresh token: %s", refusal(refused.Code, refused.Description))
}

// revocationEndpoint reads it from the discovery document, which has been checked.
func revocationEndpoint(found *oidc.Provider) (string, error) {
	var document struct {
		Revocation string `json:"revocation_endpoint"`
	}
	if err := found.Claims(&document); err != nil {
		return "", fmt.Errorf("read the discovery document: %w", err)
	}
	return document.Revocation, nil
}
