package cyberark

// configurationSchema is JSON Schema 2020-12. The condition at its end names the
// fields that the OAuth2 client app needs.
const configurationSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "CyberArk Identity",
  "type": "object",
  "additionalProperties": false,
  "required": ["tenant_url", "client_id", "client_secret"],
  "properties": {
    "auth_flow": {
      "title": "Authentication",
      "description": "How Gatehouse gets its tokens: oauth_app is an OAuth2 client app of the tenant with a scope of its own; platform_token is the platform's own endpoint, which not every tenant takes for this API.",
      "type": "string",
      "enum": ["oauth_app", "platform_token"],
      "default": "oauth_app"
    },
    "tenant_url": {
      "title": "Tenant",
      "description": "Address of the tenant, such as https://abc1234.id.cyberark.cloud, or its id alone.",
      "type": "string",
      "maxLength": 253,
      "pattern": "^(https://)?[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?(\\.(id\\.cyberark\\.cloud|id\\.cyberarkgov\\.cloud|my\\.idaptive\\.app))?/?$"
    },
    "application_id": {
      "title": "Application id",
      "description": "Application ID of the OAuth2 client app.",
      "type": "string",
      "maxLength": 128,
      "pattern": "^[0-9A-Za-z_-]+$"
    },
    "scope": {
      "title": "Scope",
      "description": "Name of the app's scope that holds the patterns of the permission pack.",
      "type": "string",
      "minLength": 1,
      "maxLength": 128,
      "pattern": "^[^ \"\\\\]+$"
    },
    "client_id": {
      "title": "Service user",
      "description": "Login name of the service user, with its suffix, such as gatehouse@example.com.",
      "type": "string",
      "minLength": 1,
      "maxLength": 320
    },
    "client_secret": {
      "title": "Password",
      "description": "Password of the service user.",
      "type": "string",
      "minLength": 1,
      "maxLength": 1024,
      "writeOnly": true
    },
    "include_mfa": {
      "title": "Read MFA state",
      "description": "Ask of each user whether it can answer the MFA challenges of its policy. Takes a call for each user, and the right User Management.",
      "type": "boolean",
      "default": false
    },
    "endpoint_url": {
      "title": "Endpoint",
      "description": "Address that serves the tenant, such as a simulator, instead of CyberArk.",
      "type": "string",
      "format": "uri",
      "pattern": "^https?://[^/?#@]+/?$"
    }
  },
  "if": {
    "anyOf": [
      {"not": {"required": ["auth_flow"]}},
      {"properties": {"auth_flow": {"const": "oauth_app"}}, "required": ["auth_flow"]}
    ]
  },
  "then": {"required": ["application_id", "scope"]}
}`

// scopeSchema has no field: a tenant is read whole.
const scopeSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "What is read",
  "type": "object",
  "additionalProperties": false,
  "properties": {}
}`
