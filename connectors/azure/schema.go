package azure

// configurationSchema is JSON Schema 2020-12. The conditions at its end name the
// fields that the chosen way of authentication lacks.
const configurationSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Microsoft Entra ID and Azure",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "auth_mode": {
      "title": "Authentication",
      "description": "How Gatehouse proves who it is: client_secret and certificate are credentials of an app registration; workload_identity and managed_identity are what the worker's environment provides. Without it, a client secret is expected.",
      "type": "string",
      "enum": ["client_secret", "certificate", "workload_identity", "managed_identity"]
    },
    "tenant_id": {
      "title": "Tenant",
      "description": "Directory (tenant) id, or one of the tenant's verified domains.",
      "type": "string",
      "maxLength": 253,
      "pattern": "^[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?$"
    },
    "client_id": {
      "title": "Application id",
      "description": "Application (client) id of the app registration; of a managed identity, if it is not the machine's own.",
      "type": "string",
      "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
    },
    "client_secret": {
      "title": "Client secret",
      "description": "Value of the client secret, not its id.",
      "type": "string",
      "minLength": 1,
      "maxLength": 1024,
      "writeOnly": true
    },
    "certificate": {
      "title": "Certificate",
      "description": "Certificate that is registered with the app registration, as PEM.",
      "type": "string",
      "minLength": 1,
      "maxLength": 32768
    },
    "private_key": {
      "title": "Private key",
      "description": "Private key of the certificate, as PEM without a password.",
      "type": "string",
      "minLength": 1,
      "maxLength": 32768,
      "writeOnly": true
    },
    "cloud": {
      "title": "Cloud",
      "description": "Microsoft's cloud that the tenant is in.",
      "type": "string",
      "enum": ["public", "usgov", "china"],
      "default": "public"
    },
    "azure_enabled": {
      "title": "Read Azure",
      "description": "Read management groups, subscriptions and their role assignments beside the directory.",
      "type": "boolean",
      "default": true
    },
    "include_pim": {
      "title": "Read eligible roles",
      "description": "Read who is eligible for roles of the directory and of Azure. Needs a licence for Entra ID P2 or Entra ID Governance.",
      "type": "boolean",
      "default": false
    },
    "include_sign_in_activity": {
      "title": "Read last sign-ins",
      "description": "Read when each user signed in last. Needs a licence for Entra ID P1 and the permission AuditLog.Read.All.",
      "type": "boolean",
      "default": false
    },
    "endpoint_url": {
      "title": "Endpoint",
      "description": "Address that serves the token endpoint, Graph and Resource Manager, such as a simulator, instead of Microsoft.",
      "type": "string",
      "format": "uri",
      "pattern": "^https?://[^/?#@]+/?$"
    }
  },
  "allOf": [
    {
      "if": {"not": {"properties": {"auth_mode": {"const": "managed_identity"}}, "required": ["auth_mode"]}},
      "then": {"required": ["tenant_id", "client_id"]}
    },
    {
      "if": {
        "anyOf": [
          {"not": {"required": ["auth_mode"]}},
          {"properties": {"auth_mode": {"const": "client_secret"}}, "required": ["auth_mode"]}
        ]
      },
      "then": {"required": ["client_secret"]}
    },
    {
      "if": {"properties": {"auth_mode": {"const": "certificate"}}, "required": ["auth_mode"]},
      "then": {"required": ["certificate", "private_key"]}
    },
    {
      "if": {"properties": {"auth_mode": {"enum": ["workload_identity", "managed_identity"]}}, "required": ["auth_mode"]},
      "then": {"not": {"required": ["endpoint_url"]}}
    }
  ]
}`

const scopeSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "What is read",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "subscription_ids": {
      "title": "Subscriptions",
      "description": "Ids of the subscriptions to read. Without it: every subscription that the credentials reach.",
      "type": "array",
      "minItems": 1,
      "maxItems": 10000,
      "uniqueItems": true,
      "items": {"type": "string", "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}
    }
  }
}`
