package xero

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
)

// The ways of authentication.
const (
	authRefresh = "refresh_token"
	authCustom  = "client_credentials"
)

const (
	identityHost = "https://identity.xero.com"
	apiHost      = "https://api.xero.com"
)

// configuration is a connection's configuration, by the names of the schema. The
// refresh token is not in it: the platform keeps it.
type configuration struct {
	AuthMode     string `json:"auth_mode"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	EndpointURL  string `json:"endpoint_url"`
}

type scope struct {
	Tenants []string `json:"tenant_ids"`
}

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// parseSettings applies the schema's defaults and refuses what the platform's schema
// check would have refused.
func parseSettings(s connector.Settings) (c configuration, sc scope, err error) {
	invalid := func(category connector.Category, message string) error {
		return &connector.Error{Category: category, Message: message}
	}
	if len(s.Configuration) > 0 && json.Unmarshal(s.Configuration, &c) != nil {
		return c, sc, invalid(connector.CredentialInvalid, "the configuration is not a JSON object of the expected form")
	}
	if len(s.Scope) > 0 && json.Unmarshal(s.Scope, &sc) != nil {
		return c, sc, invalid(connector.ScopeInvalid, "the scope is not a JSON object of the expected form")
	}
	if c.AuthMode == "" {
		c.AuthMode = authRefresh
	}
	for i, id := range sc.Tenants {
		if !guid.MatchString(id) {
			return c, sc, invalid(connector.ScopeInvalid, "tenant_ids holds something that is not the id of an organisation")
		}
		sc.Tenants[i] = strings.ToLower(id)
	}
	slices.Sort(sc.Tenants)
	sc.Tenants = slices.Compact(sc.Tenants)
	c.EndpointURL = strings.TrimSuffix(c.EndpointURL, "/")
	switch {
	case c.AuthMode != authRefresh && c.AuthMode != authCustom:
		return c, sc, invalid(connector.CredentialInvalid, "auth_mode is not one of refresh_token, client_credentials")
	case c.ClientID == "" || c.ClientSecret == "":
		return c, sc, invalid(connector.CredentialInvalid, "client_id and client_secret belong together; one of them is missing")
	}
	if c.EndpointURL != "" {
		if u, err := url.Parse(c.EndpointURL); err != nil || u.Host == "" {
			return c, sc, invalid(connector.NetworkUnreachable, "endpoint_url is not an http or https address")
		}
	}
	return c, sc, nil
}

// settingsOf names what leads to the API, for messages.
func settingsOf(c configuration) []string {
	if c.EndpointURL != "" {
		return []string{"endpoint_url"}
	}
	return nil
}

// claims are what an access token says. They are not verified: Xero verifies them, and
// a token that says otherwise reaches nothing.
type claims struct {
	ClientID string     `json:"client_id"`
	User     string     `json:"xero_userid"`
	Scope    scopeClaim `json:"scope"`
}

// scopeClaim is a list, or a text with spaces.
type scopeClaim []string

// UnmarshalJSON reads either form.
func (s *scopeClaim) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*s = strings.Fields(text)
		return nil
	}
	var list []string
	err := json.Unmarshal(raw, &list)
	*s = list
	return err
}

// claimsOf reads an access token; nothing of one that is not a JSON Web Token.
func claimsOf(token string) (c claims) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || json.Unmarshal(raw, &c) != nil {
		return claims{}
	}
	return c
}

// lacks reports whether a token says which scopes it has, and one is not among them.
// The wider one, accounting.settings, includes reading.
func (c claims) lacks(permission string) bool {
	return len(c.Scope) > 0 && !slices.Contains(c.Scope, permission) && !slices.Contains(c.Scope, strings.TrimSuffix(permission, ".read"))
}

const configurationSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Xero",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "auth_mode": {
      "title": "Authentication",
      "description": "refresh_token is somebody's consent to an app, for any number of organisations; client_credentials is a custom connection, which is for one. Without it, a refresh token is expected.",
      "type": "string",
      "enum": ["refresh_token", "client_credentials"]
    },
    "client_id": {"title": "Client id", "description": "Client id of the app.", "type": "string", "minLength": 1, "maxLength": 200},
    "client_secret": {"title": "Client secret", "description": "Client secret of the app.", "type": "string", "minLength": 1, "maxLength": 1024, "writeOnly": true},
    "refresh_token": {
      "title": "Refresh token",
      "description": "What Xero gave when somebody consented with the scope offline_access. Xero replaces it at each use; Gatehouse keeps the newest, so it must not be used elsewhere as well.",
      "type": "string",
      "minLength": 1,
      "maxLength": 8192,
      "writeOnly": true
    },
    "endpoint_url": {
      "title": "Endpoint",
      "description": "Address that serves the token endpoint and the API, such as a simulator, instead of Xero.",
      "type": "string",
      "format": "uri",
      "pattern": "^https?://[^/?#@]+/?$"
    }
  },
  "required": ["client_id", "client_secret"],
  "if": {"properties": {"auth_mode": {"const": "client_credentials"}}, "required": ["auth_mode"]},
  "then": {"not": {"required": ["refresh_token"]}},
  "else": {"required": ["refresh_token"]}
}`

const scopeSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "What is read",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "tenant_ids": {
      "title": "Organisations",
      "description": "Tenant ids of the organisations to read. Without it: every organisation that the app is connected to.",
      "type": "array",
      "minItems": 1,
      "maxItems": 1000,
      "uniqueItems": true,
      "items": {"type": "string", "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}
    }
  }
}`
