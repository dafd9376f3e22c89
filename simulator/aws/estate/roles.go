package estate

import (
	"strconv"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
	"github.com/gatehouse-project/gatehouse/simulator/enterprise/chance"
)

// Role is an IAM role.
type Role struct {
	Identity
	Description     string
	Trust           policy.Document
	Tags            []Tag
	Boundary        string        // ARN of the permissions boundary, or empty
	MaxSession      time.Duration // one to twelve hours
	LastUsed        *time.Time    // nil when not used in the tracking period
	LastRegion      string
	InstanceProfile bool // machines may carry the role
}

// OrganizationRole is the role that Organizations makes in accounts it creates.
const OrganizationRole = "OrganizationAccountAccessRole"

func (e *Estate) roles(account Account, apps []string) []Role {
	roles := e.serviceLinkedRoles(account)
	if account.Index != managementAccount {
		roles = append(roles, e.organizationRole(account))
	}
	roles = append(roles, e.auditRole(account))
	for i, app := range apps {
		roles = append(roles, e.appRoles(account, app, i)...)
	}
	roles = append(roles, e.vendorRole(account), e.breakGlassRole(account))
	roles = append(roles, e.reservedRoles(account)...)
	return append(roles, e.storyRoles(account)...)
}

func (e *Estate) role(account Account, path, name, description string, trust policy.Document, attached ...string) Role {
	r := Role{Identity: e.identity(account, "role", path, name), Description: description, Trust: trust, MaxSession: time.Hour}
	r.Attached = attached
	if e.draw.Percent(70, "role used/"+name, account.Index) {
		r.LastUsed = e.after(r.Created, "role last used/"+name, account.Index)
		r.LastRegion = e.Region
	}
	return r
}

func trustService(service string) policy.Document {
	return policy.Of(policy.Statement{Effect: policy.Allow, Principal: &policy.Principal{Service: policy.List{service}}, Action: policy.List{"sts:AssumeRole"}})
}

func trustAWS(conditions policy.Conditions, principals ...string) policy.Document {
	return policy.Of(policy.Statement{Effect: policy.Allow, Principal: &policy.Principal{AWS: principals}, Action: policy.List{"sts:AssumeRole"}, Condition: conditions})
}

func rootARN(accountID string) string { return "arn:aws:iam::" + accountID + ":root" }

func (e *Estate) serviceLinkedRoles(account Account) []Role {
	linked := []struct{ service, name, policy string }{
		{"organizations.amazonaws.com", "AWSServiceRoleForOrganizations", "AWSOrganizationsServiceTrustPolicy"},
		{"sso.amazonaws.com", "AWSServiceRoleForSSO", "AWSSSOServiceRolePolicy"},
		{"support.amazonaws.com", "AWSServiceRoleForSupport", "AWSSupportServiceRolePolicy"},
		{"trustedadvisor.amazonaws.com", "AWSServiceRoleForTrustedAdvisor", "AWSTrustedAdvisorServiceRolePolicy"},
		{"elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing", "ElasticLoadBalancingServiceRolePolicy"},
		{"autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling", "AutoScalingServiceRolePolicy"},
	}
	roles := make([]Role, 0, len(linked))
	for _, l := range linked {
		roles = append(roles, e.role(account, "/aws-service-role/"+l.service+"/", l.name, "", trustService(l.service), AWSPolicyARN(l.policy)))
	}
	return roles
}

func (e *Estate) organizationRole(account Account) Role {
	return e.role(account, "/", OrganizationRole, "", trustAWS(nil, rootARN(e.Organization.Management().ID)), AWSPolicyARN("AdministratorAccess"))
}

// appRoles are those of one application: what its functions and machines run
// as, who releases it, and who reads it from another account.
func (e *Estate) appRoles(account Account, app string, number int) []Role {
	read, write := customerPolicyARN(account, "/apps/", app+"-read"), customerPolicyARN(account, "/apps/", app+"-write")
	execution := e.role(account, "/apps/", app+"-exec", "Runs the functions of "+app, trustService("lambda.amazonaws.com"), AWSPolicyARN("AWSLambdaBasicExecutionRole"), read)
	execution.Tags = []Tag{{"app", app}}
	machines := e.role(account, "/apps/", app+"-api", "Runs the machines of "+app, trustService("ec2.amazonaws.com"), AWSPolicyARN("AmazonSSMManagedInstanceCore"), read, write)
	machines.InstanceProfile = true
	machines.Inline = []InlinePolicy{{"read-neighbours", policy.Of(policy.Statement{
		Effect: policy.Allow, Action: policy.List{"sts:AssumeRole"}, Resource: policy.List{"arn:aws:iam::*:role/apps/*-reader"},
	})}}
	deploy := e.role(account, "/apps/", app+"-deploy", "Releases "+app+" from its repository", e.pipelineTrust(account, app), customerPolicyARN(account, "/apps/", app+"-deploy"))
	deploy.Boundary = boundaryARN(account)
	roles := []Role{execution, machines, deploy}

	neighbour := e.Organization.Accounts[(account.Index+1+number)%len(e.Organization.Accounts)]
	if neighbour.Suspended || neighbour.Index == account.Index {
		return roles
	}
	conditions := policy.Conditions{"StringEquals": {"aws:PrincipalOrgID": {e.Organization.ID}}}
	if number%2 == 1 {
		conditions = policy.Conditions{"StringEquals": {"sts:ExternalId": {app + "-" + e.draw.Letters(12, chance.LowerAlphanumeric, "reader id/"+app, account.Index)}}}
	}
	principal := rootARN(neighbour.ID)
	if theirs := e.apps(neighbour); number%3 == 0 {
		principal = "arn:aws:iam::" + neighbour.ID + ":role/apps/" + theirs[0] + "-api"
	}
	return append(roles, e.role(account, "/apps/", app+"-reader", "Lets "+neighbour.Name+" read "+app, trustAWS(conditions, principal), read))
}

func (e *Estate) pipelineTrust(account Account, app string) policy.Document {
	const issuer = "token.actions.githubusercontent.com"
	return policy.Of(policy.Statement{
		Effect:    policy.Allow,
		Principal: &policy.Principal{Federated: policy.List{"arn:aws:iam::" + account.ID + ":oidc-provider/" + issuer}},
		Action:    policy.List{"sts:AssumeRoleWithWebIdentity"},
		Condition: policy.Conditions{
			"StringEquals": {issuer + ":aud": {"sts.amazonaws.com"}},
			"StringLike":   {issuer + ":sub": {"repo:" + e.Company.Slug + "/" + app + ":ref:refs/heads/*"}},
		},
	})
}

// vendorRole is trusted by an account outside the organisation; the external
// id keeps one customer's request from reaching another customer.
func (e *Estate) vendorRole(account Account) Role {
	vendors := []string{"skywarden", "costlens", "patchmill"}
	n := e.draw.Intn(len(vendors), "vendor", account.Index)
	conditions := policy.Conditions{"StringEquals": {"sts:ExternalId": {e.draw.UUID("vendor external id", account.Index)}}}
	r := e.role(account, "/vendors/", "vendor-"+vendors[n], "Used by "+vendors[n]+", an outside service", trustAWS(conditions, rootARN(e.outsideAccount(n))), AWSPolicyARN("ViewOnlyAccess"))
	r.Tags = []Tag{{"kind", "third-party"}, {"contract", "V-" + strconv.Itoa(4100+n)}}
	return r
}

func (e *Estate) breakGlassRole(account Account) Role {
	conditions := policy.Conditions{"Bool": {"aws:MultiFactorAuthPresent": {"true"}}, "IpAddress": {"aws:SourceIp": {"192.0.2.0/24"}}}
	r := e.role(account, "/", "BreakGlass", "For emergencies; every use raises an alarm", trustAWS(conditions, rootARN(e.Organization.Management().ID)), AWSPolicyARN("AdministratorAccess"))
	r.LastUsed, r.LastRegion = nil, ""
	return r
}
