package aws

// configurationSchema is JSON Schema 2020-12. The conditions at its end name
// the fields that the chosen way of authentication lacks.
const configurationSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Amazon Web Services",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "auth_mode": {
      "title": "Authentication",
      "description": "How Gatehouse proves who it is: access_key uses a key of an IAM user, assume_role takes a role from there, ambient uses what the worker's environment provides. Without it, an access key is expected.",
      "type": "string",
      "enum": ["access_key", "assume_role", "ambient"]
    },
    "access_key_id": {
      "title": "Access key id",
      "description": "Id of the access key, such as AKIAIOSFODNN7EXAMPLE.",
      "type": "string",
      "minLength": 1,
      "maxLength": 128
    },
    "secret_access_key": {
      "title": "Secret access key",
      "description": "Secret half of the access key.",
      "type": "string",
      "minLength": 1,
      "maxLength": 1024,
      "writeOnly": true
    },
    "session_token": {
      "title": "Session token",
      "description": "Only for temporary access keys (their ids start with ASIA).",
      "type": "string",
      "minLength": 1,
      "maxLength": 8192,
      "writeOnly": true
    },
    "region": {
      "title": "Region",
      "description": "Region whose endpoints are called and whose Lambda functions are read, such as eu-central-1.",
      "type": "string",
      "pattern": "^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$",
      "default": "us-east-1"
    },
    "role_arn": {
      "title": "Role ARN",
      "description": "Role to assume first, in the management or a delegated administrator account, such as arn:aws:iam::123456789012:role/GatehouseDiscovery.",
      "type": "string",
      "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$"
    },
    "external_id": {
      "title": "External id",
      "description": "External id that the trust policies of the assumed roles ask for.",
      "type": "string",
      "minLength": 2,
      "maxLength": 1224,
      "pattern": "^[A-Za-z0-9_+=,.@:/-]*$"
    },
    "member_role_name": {
      "title": "Role in other accounts",
      "description": "Name, with path if it has one, of the role that is assumed in every other account.",
      "type": "string",
      "pattern": "^[A-Za-z0-9_+=,.@/-]{1,576}$",
      "default": "OrganizationAccountAccessRole"
    },
    "organizations_enabled": {
      "title": "Read the organisation",
      "description": "Read organisational units and accounts and, unless the scope names accounts, discover every active account. Needs the management or a delegated administrator account.",
      "type": "boolean",
      "default": false
    },
    "identity_center_enabled": {
      "title": "Read IAM Identity Center",
      "description": "Read Identity Center users, groups, permission sets and assignments. Needs the management or a delegated administrator account.",
      "type": "boolean",
      "default": false
    },
    "identity_center_region": {
      "title": "Identity Center region",
      "description": "Region of the Identity Center instance, when it is not the region above.",
      "type": "string",
      "pattern": "^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$"
    },
    "partition": {
      "title": "Partition",
      "description": "Family of regions the accounts belong to.",
      "type": "string",
      "enum": ["aws", "aws-cn", "aws-us-gov"],
      "default": "aws"
    },
    "endpoint_url": {
      "title": "Endpoint",
      "description": "Address of an AWS-compatible endpoint that serves all of the APIs, instead of AWS itself.",
      "type": "string",
      "format": "uri",
      "pattern": "^https?://[^/?#@]+/?$"
    }
  },
  "dependentRequired": {
    "access_key_id": ["secret_access_key"],
    "secret_access_key": ["access_key_id"],
    "session_token": ["access_key_id", "secret_access_key"]
  },
  "allOf": [
    {
      "if": {
        "anyOf": [
          {"not": {"required": ["auth_mode"]}},
          {"properties": {"auth_mode": {"const": "access_key"}}, "required": ["auth_mode"]}
        ]
      },
      "then": {"required": ["access_key_id", "secret_access_key"]}
    },
    {
      "if": {"properties": {"auth_mode": {"const": "assume_role"}}, "required": ["auth_mode"]},
      "then": {"required": ["role_arn"]}
    }
  ]
}`

const scopeSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "What is read",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "aws_accounts": {
      "title": "AWS accounts",
      "description": "Account ids to read. Without it: every active account of the organisation when the organisation is read, else the account of the credentials.",
      "type": "array",
      "minItems": 1,
      "maxItems": 10000,
      "uniqueItems": true,
      "items": {"type": "string", "pattern": "^\\d{12}$"}
    }
  }
}`
