package estate

import (
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
)

// User is an IAM user, of a person or of a program.
type User struct {
	Identity
	Person   int // index of the person, -1 for a program's user
	Tags     []Tag
	Groups   []string
	Boundary string // ARN of the permissions boundary, or empty
	Console  *Console
	MFA      *time.Time // when the device was enabled
	Keys     []AccessKey
}

// Console is a user's password.
type Console struct {
	Created  time.Time
	LastUsed *time.Time // nil when never used
}

// AccessKey is one of up to two.
type AccessKey struct {
	ID          string
	Active      bool
	Created     time.Time
	LastUsed    *time.Time // nil when never used
	LastService string
	LastRegion  string
}

func (e *Estate) users(account Account, apps []string) []User {
	var users []User
	for _, person := range e.iamPeople[account.Index] {
		users = append(users, e.personUser(account, int(person)))
	}
	for i, app := range apps {
		users = append(users, e.serviceUser(account, "svc-"+app+"-release", app, i))
	}
	if !account.Suspended {
		users = append(users, e.serviceUser(account, "svc-backup", "", len(apps)))
	}
	if account.Index == managementAccount {
		users = append(users, e.auditor(account))
	}
	return users
}

func (e *Estate) personUser(account Account, index int) User {
	person := e.Company.Person(index)
	path := "/people/"
	if person.Employment == enterprise.Contractor {
		path = "/contractors/"
	}
	u := User{Identity: e.identity(account, "user", path, person.Username), Person: index}
	u.Tags = []Tag{
		{"email", person.Email},
		{"employee-id", person.EmployeeID},
		{"employment", string(person.Employment)},
		{"team", e.Company.TeamName(e.Company.Department(index), person.Team)},
	}
	u.Groups = e.personGroups(account, person)
	if person.Employment == enterprise.Contractor {
		u.Boundary = boundaryARN(account)
	}
	if e.draw.Percent(8, "user attached", index) {
		u.Attached = append(u.Attached, AWSPolicyARN("AmazonS3ReadOnlyAccess"))
	}
	if e.draw.Percent(10, "user inline", index) {
		u.Inline = append(u.Inline, InlinePolicy{"temporary-access", policy.Of(
			policy.Statement{
				Effect: policy.Allow, Action: policy.List{"s3:GetObject", "s3:PutObject"}, Resource: policy.List{"arn:aws:s3:::" + e.Company.Slug + "-*/scratch/*"},
				Condition: policy.Conditions{"Bool": {"aws:MultiFactorAuthPresent": {"true"}}},
			})})
	}
	if e.draw.Percent(70, "user console", index) {
		u.Console = &Console{Created: u.Created.Add(time.Hour)}
		if e.draw.Percent(80, "user console used", index) {
			u.Console.LastUsed = e.after(u.Console.Created, "user console last", index)
		}
		if e.draw.Percent(75, "user mfa", index) {
			enabled := u.Created.Add(26 * time.Hour)
			u.MFA = &enabled
		}
	}
	return u
}

func (e *Estate) personGroups(account Account, person enterprise.Person) []string {
	if person.Index == e.contractor() {
		return []string{groupContractorMigration}
	}
	if person.Employment == enterprise.Contractor {
		return []string{groupContractors}
	}
	groups := []string{groupReaders}
	switch person.Department {
	case "Engineering", "Product":
		groups = []string{groupDevelopers}
	case "Platform":
		groups = []string{groupAdministrators, groupDevelopers}
	case "Data":
		groups = []string{groupData, groupReaders}
	case "Finance":
		groups = []string{groupBilling}
	case "Support":
		groups = []string{groupSupport}
	}
	return groups
}

func (e *Estate) serviceUser(account Account, name, app string, number int) User {
	u := User{Identity: e.identity(account, "user", "/automation/", name), Person: -1, Groups: []string{groupAutomation}}
	u.Tags = []Tag{{"kind", "service"}, {"owner", "platform"}}
	if app == "" {
		u.Attached = []string{AWSPolicyARN("AmazonS3FullAccess")}
		return u
	}
	u.Tags = append(u.Tags, Tag{"app", app})
	u.Attached = []string{customerPolicyARN(account, "/apps/", app+"-deploy")}
	if number%3 == 0 {
		u.Attached = append(u.Attached, customerPolicyARN(account, "/apps/", app+"-write"))
	}
	return u
}

// issueKeys gives a user its access keys; it comes after the users are in
// order, because a key tells the position of its user.
func (e *Estate) issueKeys(account Account, position int, u *User) {
	count := 0
	switch {
	case u.Person == e.contractor() && account.Index == developmentAccount || u.Name == AuditorUser:
		count = 1
	case u.Person < 0:
		count = e.draw.Between(1, 2, "keys", account.Index, position)
	case e.draw.Percent(45, "has keys", u.Person):
		count = e.draw.Between(1, 2, "keys", account.Index, position)
	}
	for n := range count {
		at := []int{account.Index, position, n}
		key := AccessKey{ID: e.keyID(account.Index, position, n), Created: u.Created.Add(time.Duration(1+n*900) * time.Hour)}
		key.Active = n == 0 || e.draw.Percent(40, "key active", at...)
		if n == 0 && count == 1 || e.draw.Percent(65, "key used", at...) {
			key.LastUsed = e.after(key.Created, "key last used", at...)
			key.LastService = e.draw.Pick([]string{"s3", "sts", "ec2", "lambda", "iam"}, "key service", at...)
			key.LastRegion = e.Region
		}
		u.Keys = append(u.Keys, key)
	}
}

// after draws a moment between then and the estate's own; recent ones are
// more likely.
func (e *Estate) after(then time.Time, kind string, keys ...int) *time.Time {
	days := int(enterprise.AsOf().Sub(then).Hours() / 24)
	if e.draw.Percent(60, kind+"/recent", keys...) {
		days = min(days, 30)
	}
	moment := e.before(0, max(0, days-1), kind, keys...).Truncate(time.Minute)
	if moment.Before(then) {
		moment = then
	}
	return &moment
}
