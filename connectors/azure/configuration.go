package azure

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
)

// The ways of authentication.
const (
	authSecret          = "client_secret"
	authCertificate     = "certificate"
	authWorkload        = "workload_identity"
	authManagedIdentity = "managed_identity"
)

// configuration is a connection's configuration, by the names of the schema.
type configuration struct {
	AuthMode              string `json:"auth_mode"`
	TenantID              string `json:"tenant_id"`
	ClientID              string `json:"client_id"`
	ClientSecret          string `json:"client_secret"`
	Certificate           string `json:"certificate"`
	PrivateKey            string `json:"private_key"`
	Cloud                 string `json:"cloud"`
	AzureEnabled          *bool  `json:"azure_enabled"`
	IncludePIM            bool   `json:"include_pim"`
	IncludeSignInActivity bool   `json:"include_sign_in_activity"`
	EndpointURL           string `json:"endpoint_url"`
}

// readsAzure reports whether subscriptions are read beside the directory.
func (c configuration) readsAzure() bool { return c.AzureEnabled == nil || *c.AzureEnabled }

type scope struct {
	Subscriptions []string `json:"subscription_ids"`
}

var (
	guid       = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	tenantName = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?$`)
)

// parseSettings applies the schema's defaults and refuses what the platform's
// schema check would have refused, so that no call is made with half a credential.
func parseSettings(s connector.Settings) (configuration, scope, error) {
	c, sc, err := decodeSettings(s.Configuration, s.Scope)
	if err != nil {
		return c, sc, err
	}
	invalid := func(message string) error {
		return &connector.Error{Category: connector.CredentialInvalid, Message: message}
	}
	own := c.AuthMode == authWorkload || c.AuthMode == authManagedIdentity
	switch {
	case !slices.Contains([]string{authSecret, authCertificate, authWorkload, authManagedIdentity}, c.AuthMode):
		return c, sc, invalid("auth_mode is not one of client_secret, certificate, workload_identity, managed_identity")
	case c.AuthMode != authManagedIdentity && !tenantName.MatchString(c.TenantID):
		return c, sc, invalid("tenant_id is missing, or neither an id nor a domain")
	case c.AuthMode != authManagedIdentity && c.ClientID == "":
		return c, sc, invalid("client_id is missing")
	case c.ClientID != "" && !guid.MatchString(c.ClientID):
		return c, sc, invalid("client_id is not an id of the form 00000000-0000-0000-0000-000000000000")
	case c.AuthMode == authSecret && c.ClientSecret == "":
		return c, sc, invalid("client_secret is missing")
	case c.AuthMode == authCertificate && (c.Certificate == "" || c.PrivateKey == ""):
		return c, sc, invalid("certificate and private_key belong together; one of them is missing")
	case !slices.Contains([]string{cloudPublic, cloudUSGov, cloudChina}, c.Cloud):
		return c, sc, &connector.Error{Category: connector.ScopeInvalid, Message: "cloud is not one of public, usgov, china"}
	case own && c.EndpointURL != "":
		// Whoever enters an address would be sent a token of the worker's own.
		return c, sc, invalid("endpoint_url cannot be used with " + c.AuthMode + ": the worker's own identity is shown to Microsoft alone")
	}
	if c.EndpointURL != "" {
		if u, err := url.Parse(c.EndpointURL); err != nil || u.Host == "" {
			return c, sc, &connector.Error{Category: connector.NetworkUnreachable, Message: "endpoint_url is not an http or https address"}
		}
	}
	return c, sc, nil
}

// decodeSettings reads settings that need not be whole.
func decodeSettings(rawConfiguration, rawScope json.RawMessage) (c configuration, sc scope, err error) {
	if len(rawConfiguration) > 0 {
		if err := json.Unmarshal(rawConfiguration, &c); err != nil {
			return c, sc, &connector.Error{Category: connector.CredentialInvalid, Message: "the configuration is not a JSON object of the expected form"}
		}
	}
	if len(rawScope) > 0 {
		if err := json.Unmarshal(rawScope, &sc); err != nil {
			return c, sc, &connector.Error{Category: connector.ScopeInvalid, Message: "the scope is not a JSON object of the expected form"}
		}
	}
	for i, id := range sc.Subscriptions {
		if !guid.MatchString(id) {
			return c, sc, &connector.Error{Category: connector.ScopeInvalid, Message: "subscription_ids holds something that is not a subscription id"}
		}
		sc.Subscriptions[i] = strings.ToLower(id)
	}
	slices.Sort(sc.Subscriptions)
	sc.Subscriptions = slices.Compact(sc.Subscriptions)
	if c.AuthMode == "" {
		c.AuthMode = authSecret
	}
	if c.Cloud == "" {
		c.Cloud = cloudPublic
	}
	return c, sc, nil
}
