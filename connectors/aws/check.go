package aws

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/checkup"
)

// mostProbedAccounts bounds how many accounts a check looks into. Every
// account's role is tried; what it may read is tested in the first ones.
const mostProbedAccounts = 10

// check gathers what a check finds.
type check struct {
	session  *session
	findings checkup.Findings
	// shut counts the accounts that cannot be entered, of all.
	shut, accounts int
}

// Check verifies the credentials, names the target, and makes one small call
// for each permission the configured streams need.
func (s *session) Check(ctx context.Context) (connector.CheckResult, error) {
	me, err := s.whoAmI(ctx)
	if err != nil {
		return connector.CheckResult{}, err
	}
	c := &check{session: s}
	target := connector.Target{ID: me.account, Type: "account"}
	if s.configuration.OrganizationsEnabled {
		o, err := s.describeOrganization(ctx)
		if _, denied := isDenied(err); denied {
			// Whether there is an organisation cannot be seen.
			target = connector.Target{}
		}
		if err := c.note(err, streamOrganization); err != nil {
			return connector.CheckResult{}, err
		}
		if o != nil {
			target = connector.Target{ID: o.id, Type: "organization"}
			if err := c.probeOrganization(ctx); err != nil {
				return connector.CheckResult{}, err
			}
			if err := c.probeControls(ctx); err != nil {
				return connector.CheckResult{}, err
			}
		}
	}
	if s.configuration.IdentityCenterEnabled {
		if err := c.probeIdentityCenter(ctx); err != nil {
			return connector.CheckResult{}, err
		}
	}
	accounts, err := s.targets(ctx)
	if err != nil {
		return connector.CheckResult{}, err
	}
	c.accounts = len(accounts)
	for i, account := range accounts {
		_, err := s.enter(ctx, account)
		if _, denied := isDenied(err); denied {
			c.shut++
		}
		if noted := c.note(err, ""); noted != nil {
			return connector.CheckResult{}, noted
		}
		if err == nil && i < mostProbedAccounts {
			if err := c.probeAccount(ctx, account); err != nil {
				return connector.CheckResult{}, err
			}
		}
	}
	outlook := c.outlook()
	return connector.CheckResult{Target: target, ActsAs: me.id, Sufficient: checkup.Sufficient(streams(), outlook), Streams: outlook, Remediation: c.remediation()}, nil
}

// Identify names the organisation, or the account where organizations_enabled is
// off, and whom the credentials act as.
func (s *session) Identify(ctx context.Context) (connector.Identity, error) {
	me, err := s.whoAmI(ctx)
	if err != nil {
		return connector.Identity{}, err
	}
	found := connector.Identity{Target: connector.Target{ID: me.account, Type: "account"}, ActsAs: me.id}
	if s.configuration.OrganizationsEnabled {
		o, err := s.describeOrganization(ctx)
		switch {
		case err == nil:
			found.Target = connector.Target{ID: o.id, Type: "organization"}
		case connector.AsError(err).Category != connector.ScopeInvalid: // the account is in no organisation
			return connector.Identity{}, err
		}
	}
	return found, nil
}

// note keeps a finding and returns every error that is none: one that stops
// the check. stream is what a finding that is no missing permission concerns.
func (c *check) note(err error, stream string) error {
	var e *connector.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Category {
	case connector.PermissionDenied, connector.ScopeInvalid:
		c.findings.Note(e, stream)
		return nil
	}
	return err
}

// outlook says for each stream what a run would get: nothing of accounts when none
// can be entered.
func (c *check) outlook() []connector.StreamOutlook {
	all := c.findings.Outlook(streams(), c.session.reads)
	for i, stream := range streams() {
		if stream.PartitionedBy == byAccount && c.accounts > 0 && c.shut == c.accounts {
			all[i].Coverage = connector.Skipped
		}
	}
	return all
}

func (c *check) remediation() []connector.Remediation {
	found := c.findings.Errors()
	items := make([]connector.Remediation, 0, len(found))
	for _, e := range found {
		items = append(items, remedy(e))
	}
	return items
}

func remedy(e *connector.Error) connector.Remediation {
	switch {
	case e.Category == connector.ScopeInvalid:
		return connector.Remediation{Category: connector.RemedyConfiguration, Message: e.Message, Action: "Change the connection's configuration as the message says."}
	case e.Permission == permAssumeRole:
		return connector.Remediation{
			Category: connector.RemedyPermissions,
			Message:  fmt.Sprintf("Missing %s on %s", e.Permission, e.On),
			Action:   "Create the role, let its trust policy name the connection's identity and external id, and allow that identity to assume it. STS does not say which of these is missing.",
		}
	case errors.Is(e, errServiceControlPolicy):
		return connector.Remediation{
			Category: connector.RemedyPermissions,
			Message:  fmt.Sprintf("Missing %s in %s: a service control policy denies it", e.Permission, e.On),
			Action:   "Except the connection's role from the service control policy; a change to the role's own policies does not help.",
		}
	}
	return connector.Remediation{
		Category: connector.RemedyPermissions,
		Message:  fmt.Sprintf("Missing %s in %s", e.Permission, e.On),
		Action:   "Add the permission to the role or user of the connection.",
	}
}
