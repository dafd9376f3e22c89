package cyberark

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
)

// The ways of authentication.
const (
	flowApp      = "oauth_app"
	flowPlatform = "platform_token"
)

// configuration is a connection's configuration, by the names of the schema.
type configuration struct {
	AuthFlow      string `json:"auth_flow"`
	TenantURL     string `json:"tenant_url"`
	ApplicationID string `json:"application_id"`
	Scope         string `json:"scope"`
	ClientID      string `json:"client_id"`
	ClientSecret  string `json:"client_secret"`
	IncludeMFA    bool   `json:"include_mfa"`
	EndpointURL   string `json:"endpoint_url"`
}

var (
	// tenantForm is a tenant as people enter it: its id or name, its host, or an address
	// with no more than that.
	tenantForm = regexp.MustCompile(`^(?:https://)?([0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?)(?:\.(id\.cyberark\.cloud|id\.cyberarkgov\.cloud|my\.idaptive\.app))?/?$`)
	appForm    = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)
)

// hosts are where tenants are: CyberArk's, its government cloud's, and those of the
// years before.
func hosts() []string {
	return []string{"*.id.cyberark.cloud", "*.id.cyberarkgov.cloud", "*.my.idaptive.app"}
}

// host is that of the tenant; empty when none was entered.
func (c configuration) host() string {
	m := tenantForm.FindStringSubmatch(c.TenantURL)
	if m == nil {
		return ""
	}
	domain := m[2]
	if domain == "" {
		domain = "id.cyberark.cloud"
	}
	return strings.ToLower(m[1]) + "." + domain
}

// base is the address that calls go to.
func (c configuration) base() string {
	if c.EndpointURL != "" {
		return strings.TrimSuffix(c.EndpointURL, "/")
	}
	return "https://" + c.host()
}

// scoped reports whether tokens are bound to the patterns of a scope.
func (c configuration) scoped() bool { return c.AuthFlow == flowApp }

// parseSettings applies the schema's defaults and refuses what the platform's schema
// check would have refused, so that no call is made with half a credential.
func parseSettings(s connector.Settings) (configuration, error) {
	c, err := decodeConfiguration(s.Configuration)
	if err != nil {
		return c, err
	}
	invalid := func(message string) error {
		return &connector.Error{Category: connector.CredentialInvalid, Message: message}
	}
	switch {
	case c.host() == "":
		return c, &connector.Error{Category: connector.ScopeInvalid, Message: "tenant_url is missing, or not the address of a tenant such as https://abc1234.id.cyberark.cloud"}
	case c.AuthFlow != flowApp && c.AuthFlow != flowPlatform:
		return c, invalid("auth_flow is not one of oauth_app, platform_token")
	case c.ClientID == "" || c.ClientSecret == "":
		return c, invalid("client_id and client_secret belong together; one of them is missing")
	case c.scoped() && (!appForm.MatchString(c.ApplicationID) || c.Scope == ""):
		return c, invalid("application_id or scope is missing; auth_flow oauth_app needs both")
	}
	if c.EndpointURL != "" {
		if u, err := url.Parse(c.EndpointURL); err != nil || u.Host == "" {
			return c, &connector.Error{Category: connector.NetworkUnreachable, Message: "endpoint_url is not an http or https address"}
		}
	}
	return c, nil
}

// decodeConfiguration reads a configuration that need not be whole.
func decodeConfiguration(raw json.RawMessage) (c configuration, err error) {
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &c); err != nil {
			return c, &connector.Error{Category: connector.CredentialInvalid, Message: "the configuration is not a JSON object of the expected form"}
		}
	}
	if c.AuthFlow == "" {
		c.AuthFlow = flowApp
	}
	return c, nil
}
