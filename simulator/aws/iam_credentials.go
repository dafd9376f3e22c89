package aws

import (
	"encoding/base64"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
)

// userOf finds the user a call speaks of; without a name it is the caller.
func (s *Simulator) userOf(c *call) (*estate.User, *apiError) {
	name := c.form.Get("UserName")
	if name == "" && c.caller.user != nil {
		return c.caller.user, nil
	}
	user, ok := s.inventory(c).User(name)
	if !ok {
		return nil, noSuchEntity("user", name)
	}
	return user, nil
}

func (s *Simulator) listAccessKeys(c *call) (any, *apiError) {
	user, failure := s.userOf(c)
	if failure != nil {
		return nil, failure
	}
	return queryAnswer(c, func(x *xmlDocument) {
		members(x, "AccessKeyMetadata", user.Keys, func(key estate.AccessKey) {
			x.text("UserName", user.Name)
			x.text("AccessKeyId", key.ID)
			x.text("Status", map[bool]string{true: "Active", false: "Inactive"}[key.Active])
			x.time("CreateDate", key.Created)
		})
		x.boolean("IsTruncated", false)
	}), nil
}

func (s *Simulator) getAccessKeyLastUsed(c *call) (any, *apiError) {
	id := c.form.Get("AccessKeyId")
	found, ok := s.Estate().CredentialByKeyID(id)
	if !ok || found.Account != c.caller.account.Index {
		return nil, c.service.denied.with("User: " + c.caller.arn + " is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key " + id)
	}
	return queryAnswer(c, func(x *xmlDocument) {
		x.text("UserName", found.User.Name)
		x.element("AccessKeyLastUsed", func() {
			x.optionalTime("LastUsedDate", found.Key.LastUsed)
			x.text("ServiceName", orNA(found.Key.LastService))
			x.text("Region", orNA(found.Key.LastRegion))
		})
	}), nil
}

func (s *Simulator) getLoginProfile(c *call) (any, *apiError) {
	user, failure := s.userOf(c)
	if failure != nil {
		return nil, failure
	}
	if user.Console == nil {
		return nil, &apiError{"NoSuchEntity", 404, "Login Profile for User " + user.Name + " cannot be found."}
	}
	return queryAnswer(c, func(x *xmlDocument) {
		x.element("LoginProfile", func() {
			x.text("UserName", user.Name)
			x.time("CreateDate", user.Console.Created)
			x.boolean("PasswordResetRequired", user.Console.LastUsed == nil)
		})
	}), nil
}

func (s *Simulator) listMFADevices(c *call) (any, *apiError) {
	user, failure := s.userOf(c)
	if failure != nil {
		return nil, failure
	}
	return queryAnswer(c, func(x *xmlDocument) {
		x.element("MFADevices", func() {
			if user.MFA != nil {
				x.element("member", func() {
					x.text("UserName", user.Name)
					x.text("SerialNumber", "arn:aws:iam::"+c.caller.account.ID+":mfa/"+user.Name)
					x.time("EnableDate", *user.MFA)
				})
			}
		})
		x.boolean("IsTruncated", false)
	}), nil
}

// generateCredentialReport starts the report on the first call and has it
// ready on the next.
func (s *Simulator) generateCredentialReport(c *call) (any, *apiError) {
	s.reportsMu.Lock()
	started := s.reports[c.caller.account.ID]
	s.reports[c.caller.account.ID] = true
	s.reportsMu.Unlock()
	return queryAnswer(c, func(x *xmlDocument) {
		if started {
			x.text("State", "COMPLETE")
			return
		}
		x.text("State", "STARTED")
		x.text("Description", "No report exists. Starting a new report generation task")
	}), nil
}

func (s *Simulator) getCredentialReport(c *call) (any, *apiError) {
	s.reportsMu.Lock()
	started := s.reports[c.caller.account.ID]
	s.reportsMu.Unlock()
	if !started {
		return nil, &apiError{"ReportNotPresent", 410, "No credential report present for account: " + c.caller.account.ID}
	}
	report, err := credentialReport(s.inventory(c))
	if err != nil {
		return nil, &c.service.unavailable
	}
	return queryAnswer(c, func(x *xmlDocument) {
		x.text("Content", base64.StdEncoding.EncodeToString([]byte(report)))
		x.text("ReportFormat", "text/csv")
		x.time("GeneratedTime", enterprise.AsOf())
	}), nil
}

// reportColumns are those of the credential report (IAM User Guide, "Get
// credential reports for your AWS account").
const reportColumns = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active," +
	"access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service," +
	"access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service," +
	"cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated"

func credentialReport(inv *estate.Inventory) (string, error) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	rows := [][]string{strings.Split(reportColumns, ","), rootRow(inv)}
	for _, user := range inv.Users {
		rows = append(rows, userRow(user))
	}
	if err := w.WriteAll(rows); err != nil {
		return "", err
	}
	return b.String(), nil
}

func rootRow(inv *estate.Inventory) []string {
	row := []string{
		"<root_account>", "arn:aws:iam::" + inv.Account.ID + ":root", reportTime(inv.Account.Joined),
		"not_supported", "no_information", "not_supported", "not_supported", "true",
	}
	return appendKeys(row, nil)
}

func userRow(u estate.User) []string {
	row := []string{u.Name, u.ARN, reportTime(u.Created)}
	if u.Console == nil {
		row = append(row, "false", "N/A", "N/A", "N/A")
	} else {
		used := "no_information"
		if u.Console.LastUsed != nil {
			used = reportTime(*u.Console.LastUsed)
		}
		row = append(row, "true", used, reportTime(u.Console.Created), "N/A")
	}
	row = append(row, strconv.FormatBool(u.MFA != nil))
	return appendKeys(row, u.Keys)
}

func appendKeys(row []string, keys []estate.AccessKey) []string {
	for n := range 2 {
		if n >= len(keys) {
			row = append(row, "false", "N/A", "N/A", "N/A", "N/A")
			continue
		}
		used := "N/A"
		if keys[n].LastUsed != nil {
			used = reportTime(*keys[n].LastUsed)
		}
		row = append(row, strconv.FormatBool(keys[n].Active), reportTime(keys[n].Created), used, orNA(keys[n].LastRegion), orNA(keys[n].LastService))
	}
	return append(row, "false", "N/A", "false", "N/A")
}

func reportTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05+00:00") }

func orNA(s string) string {
	if s == "" {
		return "N/A"
	}
	return s
}

func (s *Simulator) getAccountSummary(c *call) (any, *apiError) {
	inv := s.inventory(c)
	devices := 0
	for _, user := range inv.Users {
		if user.MFA != nil {
			devices++
		}
	}
	versions := 0
	for _, p := range inv.Policies {
		versions += len(p.Versions)
	}
	entries := []struct {
		key   string
		value int
	}{
		{"Users", len(inv.Users)},
		{"UsersQuota", 5000},
		{"Groups", len(inv.Groups)},
		{"GroupsQuota", 300},
		{"Roles", len(inv.Roles)},
		{"RolesQuota", 1000},
		{"Policies", len(inv.Policies)},
		{"PoliciesQuota", 1500},
		{"PolicyVersionsInUse", versions},
		{"PolicyVersionsInUseQuota", 10000},
		{"VersionsPerPolicyQuota", 5},
		{"MFADevices", devices},
		{"MFADevicesInUse", devices},
		{"AccountMFAEnabled", 1},
		{"AccountPasswordPresent", 1},
		{"AccountAccessKeysPresent", 0},
		{"AccountSigningCertificatesPresent", 0},
		{"AccessKeysPerUserQuota", 2},
		{"GroupsPerUserQuota", 10},
		{"AttachedPoliciesPerGroupQuota", 10},
		{"AttachedPoliciesPerRoleQuota", 10},
		{"AttachedPoliciesPerUserQuota", 10},
	}
	return queryAnswer(c, func(x *xmlDocument) {
		x.element("SummaryMap", func() {
			for _, e := range entries {
				x.element("entry", func() {
					x.text("key", e.key)
					x.number("value", e.value)
				})
			}
		})
	}), nil
}

func (s *Simulator) listAccountAliases(c *call) (any, *apiError) {
	return queryAnswer(c, func(x *xmlDocument) {
		members(x, "AccountAliases", []string{s.inventory(c).Alias}, func(alias string) { x.b.WriteString(alias) })
		x.boolean("IsTruncated", false)
	}), nil
}
