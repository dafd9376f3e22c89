package aws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
)

// The kinds of permission packs.
const (
	packPolicy       = "aws_iam_policy"
	packAssume       = "aws_iam_policy_assume"
	packTrust        = "aws_trust_policy"
	packMemberPolicy = "aws_iam_policy_member"
	packMemberStack  = "aws_cloudformation_member"
)

// policyVersion is that of the policy language, not of a policy.
const policyVersion = "2012-10-17"

// policyDocument is an IAM policy; the order of its fields is that of AWS's own
// examples.
type policyDocument struct {
	Version   string            `json:"Version"`
	Statement []policyStatement `json:"Statement"`
}

type policyStatement struct {
	Sid       string                       `json:"Sid"`
	Effect    string                       `json:"Effect"`
	Principal map[string]any               `json:"Principal,omitempty"`
	Action    []string                     `json:"Action"`
	Resource  any                          `json:"Resource,omitempty"`
	Condition map[string]map[string]string `json:"Condition,omitempty"`
}

var _ connector.PermissionPacker = Connector{}

// PermissionPacks returns the policies for such a connection: what its own
// identity may, and where other accounts are read, what the role in each of them
// may and whom it trusts.
func (Connector) PermissionPacks(of connector.PermissionSettings) ([]connector.PermissionPack, error) {
	c, sc, err := parsePermissionSettings(of)
	if err != nil {
		return nil, err
	}
	entersOthers := c.OrganizationsEnabled || len(sc.Accounts) > 0
	own := policyDocument{Version: policyVersion, Statement: statements(c, func(connector.Stream) bool { return true })}
	if entersOthers {
		own.Statement = append(own.Statement, policyStatement{
			Sid: "EnterOtherAccounts", Effect: "Allow", Action: []string{permAssumeRole}, Resource: memberRoles(c, sc),
		})
	}
	to := "Attach it to the IAM user of the access key."
	switch c.AuthMode {
	case authAssumeRole:
		to = "Attach it to the role that the connection assumes."
	case authAmbient:
		to = "Attach it to the identity that the workers run as."
	}
	packs := []connector.PermissionPack{pack(packPolicy, "Permissions of the connection's identity", to, "gatehouse-policy.json", own)}
	if c.AuthMode == authAssumeRole && c.RoleARN != "" {
		packs = append(packs, pack(packAssume, "Permission to assume the role",
			"Attach it to the identity that the access key or the worker's environment is of.", "gatehouse-assume-policy.json",
			policyDocument{Version: policyVersion, Statement: []policyStatement{
				{Sid: "AssumeTheConnectionsRole", Effect: "Allow", Action: []string{permAssumeRole}, Resource: c.RoleARN},
			}}))
		packs = append(packs, pack(packTrust, "Trust policy of the role that the connection assumes",
			"Make it the role's trust policy, with the ARN of the identity that assumes it in place of the account's root to trust less.",
			"gatehouse-trust-policy.json", trustPolicy(c, "arn:"+c.Partition+":iam::"+accountOf(c.RoleARN)+":root")))
	}
	if entersOthers {
		member := policyDocument{Version: policyVersion, Statement: statements(c, inMembers)}
		packs = append(packs,
			pack(packMemberPolicy, "Permissions of the role in every other account",
				fmt.Sprintf("Attach it to the role %s of each account that is read; or have the CloudFormation stack make role and policy.", c.MemberRoleName),
				"gatehouse-member-policy.json", member),
			pack(packMemberStack, "CloudFormation stack that makes the role in other accounts",
				"Deploy it as a stack set to the organisation's accounts; it asks for the ARN of the connection's identity, and for the external id.",
				"gatehouse-member-role.json", memberStack(c, member)))
	}
	return packs, nil
}

// parsePermissionSettings is parseSettings for settings that need not be whole.
func parsePermissionSettings(of connector.PermissionSettings) (c configuration, sc scope, err error) {
	if len(of.Configuration) > 0 {
		if err := json.Unmarshal(of.Configuration, &c); err != nil {
			return c, sc, &connector.Error{Category: connector.CredentialInvalid, Message: "the configuration is not a JSON object of the expected form"}
		}
	}
	if len(of.Scope) > 0 {
		if err := json.Unmarshal(of.Scope, &sc); err != nil {
			return c, sc, &connector.Error{Category: connector.ScopeInvalid, Message: "the scope is not a JSON object of the expected form"}
		}
	}
	for _, id := range sc.Accounts {
		if !isAccountID(id) {
			return c, sc, &connector.Error{Category: connector.ScopeInvalid, Message: "aws_accounts holds something that is not a 12-digit account id"}
		}
	}
	setDefault(&c.AuthMode, authAccessKey)
	setDefault(&c.MemberRoleName, defaultMemberRole)
	setDefault(&c.Partition, "aws")
	return c, sc, nil
}

// statements has one statement for each stream that the configuration asks for,
// with the permissions that no stream before it has.
func statements(c configuration, in func(connector.Stream) bool) []policyStatement {
	var list []policyStatement
	// Entering an account has a statement of its own, with its resources.
	given := []string{permAssumeRole}
	for _, stream := range streams() {
		if !in(stream) || !asked(c, stream.Name) {
			continue
		}
		var actions []string
		for _, p := range stream.Permissions {
			if !slices.Contains(given, p.Name) {
				actions, given = append(actions, p.Name), append(given, p.Name)
			}
		}
		if len(actions) > 0 {
			list = append(list, policyStatement{Sid: sid(stream.Name), Effect: "Allow", Action: actions, Resource: "*"})
		}
	}
	return list
}

// asked reports whether a configuration asks for a stream's permissions.
func asked(c configuration, stream string) bool {
	if stream == streamOrganization {
		return c.OrganizationsEnabled
	}
	return (&session{configuration: c}).reads(stream)
}

// inMembers reports whether a stream is read in every account; the others are read
// in the connection's own.
func inMembers(s connector.Stream) bool {
	return s.PartitionedBy == byAccount && s.Name != streamPermissionSets
}

// sid names a statement after a stream; AWS takes letters and digits.
func sid(stream string) string {
	var text strings.Builder
	text.WriteString("Read")
	for _, word := range strings.Split(stream, "_") {
		if word == streamIAM || word == streamS3 {
			text.WriteString(strings.ToUpper(word))
			continue
		}
		text.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return text.String()
}

// memberRoles are the roles to be assumed: of the scope's accounts, or of any.
func memberRoles(c configuration, sc scope) []string {
	accounts := slices.Clone(sc.Accounts)
	if len(accounts) == 0 {
		accounts = []string{"*"}
	}
	slices.Sort(accounts)
	roles := make([]string, 0, len(accounts))
	for _, account := range slices.Compact(accounts) {
		roles = append(roles, "arn:"+c.Partition+":iam::"+account+":role/"+c.MemberRoleName)
	}
	return roles
}

func trustPolicy(c configuration, principal any) policyDocument {
	trust := policyStatement{Sid: "TrustGatehouse", Effect: "Allow", Principal: map[string]any{"AWS": principal}, Action: []string{permAssumeRole}}
	if c.ExternalID != "" {
		trust.Condition = map[string]map[string]string{"StringEquals": {"sts:ExternalId": c.ExternalID}}
	}
	return policyDocument{Version: policyVersion, Statement: []policyStatement{trust}}
}

// accountOf is the account of an ARN.
func accountOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}

// memberStack is a CloudFormation template; https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-iam-role.html.
func memberStack(c configuration, policy policyDocument) any {
	type object = map[string]any
	externalID := object{"Type": "String", "Description": "External id that the connection sends; empty for none.", "Default": c.ExternalID}
	name := c.MemberRoleName
	role := object{
		"AssumeRolePolicyDocument": object{"Version": policyVersion, "Statement": []any{object{
			"Sid": "TrustGatehouse", "Effect": "Allow", "Principal": object{"AWS": object{"Ref": "TrustedArn"}}, "Action": permAssumeRole,
			"Condition": object{"Fn::If": []any{"HasExternalId", object{"StringEquals": object{"sts:ExternalId": object{"Ref": "ExternalId"}}}, object{"Ref": "AWS::NoValue"}}},
		}}},
		"Policies": []any{object{"PolicyName": "GatehouseDiscovery", "PolicyDocument": policy}},
	}
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		role["Path"], name = "/"+strings.Trim(name[:i], "/")+"/", name[i+1:]
	}
	role["RoleName"] = name
	return object{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description":              "The role that Gatehouse assumes to read who can reach what in this account.",
		"Parameters": object{
			"TrustedArn": object{"Type": "String", "Description": "ARN of the connection's identity, such as arn:aws:iam::111122223333:user/gatehouse."},
			"ExternalId": externalID,
		},
		"Conditions": object{"HasExternalId": object{"Fn::Not": []any{object{"Fn::Equals": []any{object{"Ref": "ExternalId"}, ""}}}}},
		"Resources":  object{"GatehouseRole": object{"Type": "AWS::IAM::Role", "Properties": role}},
	}
}

// pack writes a document as people paste it. What is written here can always be
// encoded.
func pack(kind, title, instructions, file string, document any) connector.PermissionPack {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(document)
	return connector.PermissionPack{Kind: kind, Title: title, Instructions: instructions, Format: "json", FileName: file, Content: text.String()}
}
