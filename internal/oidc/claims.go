package oidc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	coreos "github.com/coreos/go-oidc/v3/oidc"

	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Bounds of what is read of a token. Providers leave groups out above a few
// hundred; names are what members are called.
const (
	maxClaims = 5000
	maxDepth  = 4
	maxValue  = 2000
	maxName   = 200
)

// read returns what a token says of the person.
func (p *Provider) read(token *coreos.IDToken) (workspace.Identity, error) {
	var raw json.RawMessage
	if err := token.Claims(&raw); err != nil {
		return workspace.Identity{}, fmt.Errorf("read claims: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // a group id of many digits stays one
	var all map[string]any
	if err := decoder.Decode(&all); err != nil {
		return workspace.Identity{}, fmt.Errorf("decode claims: %w", err)
	}
	who := workspace.Identity{Issuer: token.Issuer, Subject: token.Subject}
	flatten(&who.Claims, "", all, 0)
	if len(who.Claims) > maxClaims {
		return workspace.Identity{}, fmt.Errorf("the token has more than %d claims", maxClaims)
	}
	// email_verified is about the claim email and no other.
	verified := all["email_verified"]
	vouched := p.config.TrustEmail || p.config.EmailClaim == "email" && (verified == true || verified == "true")
	if !vouched {
		who.Claims = slices.DeleteFunc(who.Claims, func(c workspace.Claim) bool { return c.Name == p.config.EmailClaim })
	}
	if address, err := workspace.NormalizeEmail(textOf(all, p.config.EmailClaim)); err == nil {
		who.Email, who.EmailVerified = address, vouched
	}
	who.Name = nameOf(textOf(all, "name"), textOf(all, "preferred_username"), who.Email, token.Subject)
	return who, nil
}

// flatten makes one claim of each text, number and truth value. Fields of an
// object are named with a dot, as in realm_access.roles.
func flatten(found *[]workspace.Claim, name string, value any, depth int) {
	if depth > maxDepth || len(*found) > maxClaims {
		return
	}
	switch v := value.(type) {
	case string:
		// Longer ones, and what no database stores, cannot be mapped to anything.
		if len(v) <= maxValue && !strings.Contains(name+v, "\x00") {
			*found = append(*found, workspace.Claim{Name: name, Value: v})
		}
	case json.Number:
		*found = append(*found, workspace.Claim{Name: name, Value: v.String()})
	case bool:
		*found = append(*found, workspace.Claim{Name: name, Value: strconv.FormatBool(v)})
	case []any:
		for _, item := range v {
			flatten(found, name, item, depth+1)
		}
	case map[string]any:
		for field, item := range v {
			flatten(found, strings.TrimPrefix(name+"."+field, "."), item, depth+1)
		}
	}
}

func textOf(claims map[string]any, name string) string {
	text, _ := claims[name].(string)
	return text
}

// nameOf returns the first of the names that is one, on one line and cut to what
// a member may be called.
func nameOf(names ...string) string {
	for _, name := range names {
		if name = strings.Join(strings.Fields(strings.ToValidUTF8(name, "")), " "); name != "" {
			runes := []rune(strings.ReplaceAll(name, "\x00", ""))
			return string(runes[:min(len(runes), maxName)])
		}
	}
	return "unnamed"
}
