package aws

import (
	"strconv"
	"strings"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

func (s *Simulator) iamOperations() operations {
	return operations{
		"GetAccountAuthorizationDetails": s.getAccountAuthorizationDetails,
		"ListUsers":                      s.listUsers,
		"ListGroups":                     s.listGroups,
		"ListRoles":                      s.listRoles,
		"ListPolicies":                   s.listPolicies,
		"GetGroup":                       s.getGroup,
		"GetPolicy":                      s.getPolicy,
		"GetPolicyVersion":               s.getPolicyVersion,
		"ListAccessKeys":                 s.listAccessKeys,
		"GetAccessKeyLastUsed":           s.getAccessKeyLastUsed,
		"GetLoginProfile":                s.getLoginProfile,
		"ListMFADevices":                 s.listMFADevices,
		"GenerateCredentialReport":       s.generateCredentialReport,
		"GetCredentialReport":            s.getCredentialReport,
		"GetAccountSummary":              s.getAccountSummary,
		"ListAccountAliases":             s.listAccountAliases,
	}
}

// Page sizes of IAM (IAM API Reference, MaxItems).
const (
	iamPageDefault = 100
	iamPageMax     = 1000
)

// iamPage cuts the part of a list that the call asked for. IAM may answer
// fewer items than it was asked for and still be truncated; here one in eight
// of the pages that are not the last has only half.
func (s *Simulator) iamPage(c *call, list string, length int) (page, *apiError) {
	size := iamPageDefault
	if given := c.form.Get("MaxItems"); given != "" {
		parsed, err := strconv.Atoi(given)
		if err != nil || parsed < 1 || parsed > iamPageMax {
			return page{}, validation("maxItems", given)
		}
		size = parsed
	}
	list = c.operation + "/" + c.caller.account.ID + "/" + list
	p, err := cut(list, c.form.Get("Marker"), length, size)
	if err != nil {
		return page{}, &apiError{"ValidationError", 400, "Invalid Marker: " + err.Error()}
	}
	if p.next != "" && size > 1 && s.Estate().Company.Draw().Percent(12, "short page/"+list, p.from) {
		p.to = p.from + size/2
		p.next = pageToken(list, p.to, false)
	}
	return p, nil
}

func (p page) writeMarker(x *xmlDocument) {
	x.boolean("IsTruncated", p.next != "")
	x.optional("Marker", p.next)
}

func noSuchEntity(kind, name string) *apiError {
	return &apiError{"NoSuchEntity", 404, "The " + kind + " with name " + name + " cannot be found."}
}

// document writes a policy document as IAM does: URL-encoded as in RFC 3986.
func (x *xmlDocument) document(name, text string) { x.text(name, encodeURI(text, false)) }

func writeTags(x *xmlDocument, tags []estate.Tag) {
	if len(tags) == 0 {
		return
	}
	members(x, "Tags", tags, func(tag estate.Tag) {
		x.text("Key", tag.Key)
		x.text("Value", tag.Value)
	})
}

func writeBoundary(x *xmlDocument, arn string) {
	if arn == "" {
		return
	}
	x.element("PermissionsBoundary", func() {
		x.text("PermissionsBoundaryType", "PermissionsBoundaryPolicy")
		x.text("PermissionsBoundaryArn", arn)
	})
}

// writeAttached lists attached policies; a policy's name is the last part of
// its ARN.
func writeAttached(x *xmlDocument, arns []string) {
	members(x, "AttachedManagedPolicies", arns, func(arn string) {
		x.text("PolicyName", arn[strings.LastIndexByte(arn, '/')+1:])
		x.text("PolicyArn", arn)
	})
}

func writeInline(x *xmlDocument, name string, policies []estate.InlinePolicy) {
	members(x, name, policies, func(p estate.InlinePolicy) {
		x.text("PolicyName", p.Name)
		x.document("PolicyDocument", p.Document.JSON())
	})
}
