package aws

import (
	"encoding/json"
	"net/url"

	"github.com/gatehouse-project/gatehouse/connector"
)

// The ways of authentication.
const (
	authAccessKey  = "access_key"
	authAssumeRole = "assume_role"
	authAmbient    = "ambient"
)

// defaultMemberRole is the role that AWS Organizations makes in accounts that it
// creates; the schema's default.
const defaultMemberRole = "OrganizationAccountAccessRole"

// configuration is a connection's configuration, by the names of the schema.
type configuration struct {
	AuthMode              string `json:"auth_mode"`
	AccessKeyID           string `json:"access_key_id"`
	SecretAccessKey       string `json:"secret_access_key"`
	SessionToken          string `json:"session_token"`
	Region                string `json:"region"`
	RoleARN               string `json:"role_arn"`
	ExternalID            string `json:"external_id"`
	MemberRoleName        string `json:"member_role_name"`
	OrganizationsEnabled  bool   `json:"organizations_enabled"`
	IdentityCenterEnabled bool   `json:"identity_center_enabled"`
	IdentityCenterRegion  string `json:"identity_center_region"`
	Partition             string `json:"partition"`
	EndpointURL           string `json:"endpoint_url"`
}

type scope struct {
	Accounts []string `json:"aws_accounts"`
}

// parseSettings applies the schema's defaults and refuses what the platform's
// schema check would have refused, so that no call is made with half a key.
func parseSettings(s connector.Settings) (configuration, scope, error) {
	var c configuration
	if err := json.Unmarshal(s.Configuration, &c); err != nil {
		return c, scope{}, &connector.Error{Category: connector.CredentialInvalid, Message: "the configuration is not a JSON object of the expected form"}
	}
	var sc scope
	if len(s.Scope) > 0 {
		if err := json.Unmarshal(s.Scope, &sc); err != nil {
			return c, sc, &connector.Error{Category: connector.ScopeInvalid, Message: "the scope is not a JSON object of the expected form"}
		}
	}
	for _, id := range sc.Accounts {
		if !isAccountID(id) {
			return c, sc, &connector.Error{Category: connector.ScopeInvalid, Message: "aws_accounts holds something that is not a 12-digit account id"}
		}
	}
	setDefault(&c.AuthMode, authAccessKey)
	setDefault(&c.Region, "us-east-1")
	setDefault(&c.MemberRoleName, defaultMemberRole)
	setDefault(&c.Partition, "aws")
	setDefault(&c.IdentityCenterRegion, c.Region)

	invalid := func(message string) error {
		return &connector.Error{Category: connector.CredentialInvalid, Message: message}
	}
	hasKey := c.AccessKeyID != "" && c.SecretAccessKey != ""
	switch {
	case (c.AccessKeyID != "") != (c.SecretAccessKey != ""):
		return c, sc, invalid("access_key_id and secret_access_key belong together; one of them is missing")
	case c.AuthMode == authAccessKey && !hasKey:
		return c, sc, invalid("access_key_id and secret_access_key are missing")
	case c.AuthMode == authAssumeRole && c.RoleARN == "":
		return c, sc, invalid("role_arn is missing")
	case c.AuthMode != authAccessKey && c.AuthMode != authAssumeRole && c.AuthMode != authAmbient:
		return c, sc, invalid("auth_mode is not one of access_key, assume_role, ambient")
	}
	if c.EndpointURL != "" {
		if u, err := url.Parse(c.EndpointURL); err != nil || u.Host == "" {
			return c, sc, &connector.Error{Category: connector.NetworkUnreachable, Message: "endpoint_url is not an http or https address"}
		}
	}
	return c, sc, nil
}

func setDefault(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

func isAccountID(s string) bool {
	if len(s) != 12 {
		return false
	}
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}
