package estate

import "slices"

// Summary says what exists, for tests and tools that compare it with what
// they found.
type Summary struct {
	Company        string            `json:"company"`
	Domain         string            `json:"domain"`
	Region         string            `json:"region"`
	Regions        []string          `json:"regions"` // that hold buckets and functions
	OrganizationID string            `json:"organization_id"`
	ManagementID   string            `json:"management_account_id"`
	AccountIDs     []string          `json:"account_ids"`
	InstanceARN    string            `json:"identity_center_instance_arn"`
	StoreID        string            `json:"identity_store_id"`
	Auditor        SummaryCredential `json:"auditor"`
	AuditRole      string            `json:"audit_role_name"`
	AuditRoleARN   string            `json:"audit_role_arn"` // in the management account
	ExternalID     string            `json:"external_id"`
	Sensitive      SummaryBucket     `json:"sensitive_bucket"`
	Contractor     SummaryContractor `json:"contractor"`
	Counts         Counts            `json:"counts"`
}

// SummaryCredential is a user with a working access key.
type SummaryCredential struct {
	UserName        string `json:"user_name"`
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
}

// SummaryBucket is a bucket that must be found.
type SummaryBucket struct {
	Name      string `json:"name"`
	AccountID string `json:"account_id"`
}

// SummaryContractor is the person who must be found to reach it.
type SummaryContractor struct {
	DisplayName     string            `json:"display_name"`
	Email           string            `json:"email"`
	IAMUserARN      string            `json:"iam_user_arn"`
	IAMUserID       string            `json:"iam_user_id"`
	Credential      SummaryCredential `json:"credential"`
	DirectoryUserID string            `json:"identity_store_user_id"`
	RoleARN         string            `json:"assumable_role_arn"`
}

// Counts says how many of each kind there are in the whole organisation.
// Accounts that are suspended count as accounts, and what is in them does not
// count elsewhere, since nobody can look.
type Counts struct {
	Accounts             int `json:"accounts"`
	ActiveAccounts       int `json:"active_accounts"`
	OrganizationalUnits  int `json:"organizational_units"`
	ServicePolicies      int `json:"service_control_policies"`
	IAMUsers             int `json:"iam_users"`
	IAMGroups            int `json:"iam_groups"`
	IAMGroupMemberships  int `json:"iam_group_memberships"`
	IAMRoles             int `json:"iam_roles"`
	CustomerPolicies     int `json:"customer_policies"`
	PolicyVersions       int `json:"customer_policy_versions"`
	InlinePolicies       int `json:"inline_policies"`
	PolicyAttachments    int `json:"policy_attachments"`
	AccessKeys           int `json:"access_keys"`
	Buckets              int `json:"buckets"`
	BucketPolicies       int `json:"bucket_policies"`
	Functions            int `json:"functions"`
	FunctionPolicies     int `json:"function_policies"`
	DirectoryUsers       int `json:"identity_store_users"`
	DirectoryGroups      int `json:"identity_store_groups"`
	DirectoryMemberships int `json:"identity_store_memberships"`
	PermissionSets       int `json:"permission_sets"`
	Assignments          int `json:"account_assignments"`
	ProvisionedSets      int `json:"provisioned_permission_sets"`
}

// Summary looks at every account, which takes about a second for an
// organisation of two hundred.
func (e *Estate) Summary() Summary {
	o := e.Organization
	person := e.Company.Person(e.contractor())
	s := Summary{
		Company: e.Company.Name, Domain: e.Company.Domain, Region: e.Region, Regions: slices.Compact([]string{e.Region, SecondRegion}), OrganizationID: o.ID, ManagementID: o.Management().ID,
		InstanceARN: e.Center.InstanceARN(), StoreID: e.Center.StoreID,
		Auditor:   e.credential(managementAccount, AuditorUser),
		AuditRole: AuditRole, AuditRoleARN: "arn:aws:iam::" + o.Management().ID + ":role/" + AuditRole, ExternalID: e.ExternalID(),
		Sensitive: SummaryBucket{Name: e.PayrollBucket(), AccountID: o.Accounts[dataAccount].ID},
		Contractor: SummaryContractor{
			DisplayName: person.DisplayName(), Email: person.Email, DirectoryUserID: e.Center.UserID(person.Index), RoleARN: e.migrationRoleARN(),
			Credential: e.credential(developmentAccount, person.Username),
		},
		Counts: e.counts(),
	}
	for _, account := range o.Accounts {
		s.AccountIDs = append(s.AccountIDs, account.ID)
	}
	if user, ok := e.Inventory(developmentAccount).User(person.Username); ok {
		s.Contractor.IAMUserARN, s.Contractor.IAMUserID = user.ARN, user.ID
	}
	return s
}

func (e *Estate) credential(account int, name string) SummaryCredential {
	users := e.Inventory(account).Users
	for i := range users {
		if users[i].Name == name && len(users[i].Keys) > 0 {
			return SummaryCredential{UserName: name, AccessKeyID: users[i].Keys[0].ID, SecretAccessKey: e.keySecret(account, i, 0)}
		}
	}
	return SummaryCredential{UserName: name}
}

func (e *Estate) counts() Counts {
	c := Counts{
		Accounts: len(e.Organization.Accounts), OrganizationalUnits: len(e.Organization.Units), ServicePolicies: len(e.Organization.Policies),
		DirectoryUsers: e.Center.UserCount(), DirectoryGroups: len(e.Center.Groups), PermissionSets: len(e.Center.PermissionSets),
	}
	for _, group := range e.Center.Groups {
		c.DirectoryMemberships += len(group.Members)
	}
	for i, account := range e.Organization.Accounts {
		c.Assignments += len(e.Center.Assignments[i])
		c.ProvisionedSets += len(e.Center.Provisioned(i))
		if account.Suspended {
			continue
		}
		c.ActiveAccounts++
		c.add(e.Inventory(i))
	}
	return c
}

func (c *Counts) add(inv *Inventory) {
	identity := func(i Identity) {
		c.InlinePolicies += len(i.Inline)
		c.PolicyAttachments += len(i.Attached)
	}
	for _, user := range inv.Users {
		c.IAMUsers++
		c.IAMGroupMemberships += len(user.Groups)
		c.AccessKeys += len(user.Keys)
		identity(user.Identity)
	}
	for _, group := range inv.Groups {
		c.IAMGroups++
		identity(group.Identity)
	}
	for _, role := range inv.Roles {
		c.IAMRoles++
		identity(role.Identity)
	}
	for _, p := range inv.Policies {
		c.CustomerPolicies++
		c.PolicyVersions += len(p.Versions)
	}
	for _, bucket := range inv.Buckets {
		c.Buckets++
		if bucket.Policy != nil {
			c.BucketPolicies++
		}
	}
	for _, function := range inv.Functions {
		c.Functions++
		if function.Policy != nil {
			c.FunctionPolicies++
		}
	}
}
