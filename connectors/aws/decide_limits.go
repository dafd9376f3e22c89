package aws

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

// standing is where an account stands in its organisation.
type standing struct {
	account string
	// organization is the organisation's id; empty outside one, or when it is
	// not known.
	organization string
	// management says that the account is the management account, to which
	// control policies do not apply.
	management bool
	// path are root, units and account, from the root down.
	path []connector.Entity
	// unread is why the place is not known; empty when it is.
	unread string
}

// mostUnits bounds the walk upwards; AWS allows five levels of units.
const mostUnits = 16

// place walks from an account up to its organisation.
func (d decider) place(account string) (standing, error) {
	s := standing{account: account}
	if account == "" {
		return s, nil
	}
	ref := boundaryRef(account)
	for range mostUnits {
		e, found, err := d.records.Entity(d.ctx, ref)
		if err != nil {
			return s, err
		}
		if !found {
			break
		}
		if e.Type == typeOrganization {
			s.organization = e.ID
			s.management = described[struct {
				Management string `json:"management_account"`
			}](e).Management == account
			slices.Reverse(s.path)
			return s, nil
		}
		s.path = append(s.path, e)
		above, _, err := d.records.To(d.ctx, connector.BoundaryContains, ref)
		if err != nil {
			return s, err
		}
		if len(above) != 1 {
			break
		}
		ref = above[0].From
	}
	s.unread = "where account " + account + " stands in an organisation, if in any, was not read"
	return s, nil
}

// controls are the layers of one kind of control policy on an account.
func (d decider) controls(s standing, kind string) ([]policy.Layer, error) {
	switch {
	case s.account == "" || s.management:
		return nil, nil
	case s.unread != "":
		return []policy.Layer{{Level: s.account, Unread: []string{s.unread}}}, nil
	}
	unread, err := d.controlsUnread()
	if err != nil {
		return nil, err
	}
	if len(unread) == 0 && !slices.Contains(described[struct {
		Types []string `json:"policy_types"`
	}](s.path[0]).Types, kind) {
		return nil, nil // switched off in the organisation
	}
	policies, whole, err := d.records.OfType(d.ctx, connector.Entitlement, kind)
	if err != nil {
		return nil, err
	}
	if !whole {
		unread = append(unread, "there are more policies of the kind "+kind+" than a decision looks at")
	}
	layers := make([]policy.Layer, len(s.path))
	for i, at := range s.path {
		layers[i] = policy.Layer{Level: at.Name, Unread: unread}
		for _, p := range policies {
			a := described[struct {
				Targets  []string        `json:"targets"`
				Document json.RawMessage `json:"document"`
			}](p)
			if slices.Contains(a.Targets, at.ID) {
				add(&layers[i], p.Name, p.ID, a.Document)
			}
		}
	}
	return layers, nil
}

// controlsUnread says what of the organisation's policies was not read.
func (d decider) controlsUnread() ([]string, error) {
	var unread []string
	for _, of := range []struct{ stream, reason string }{
		{streamOrganization, "the organisation was not read completely"},
		{streamControls, "the organisation's control policies were not read completely"},
	} {
		whole, err := d.complete(of.stream, "")
		if err != nil {
			return nil, err
		}
		if !whole {
			unread = append(unread, of.reason)
		}
	}
	return unread, nil
}

// underResourceControls reports whether resource control policies apply to a
// service (Organizations user guide, "List of AWS services that support RCPs").
func underResourceControls(action string) bool {
	service, _, _ := strings.Cut(strings.ToLower(action), ":")
	return slices.Contains([]string{"s3", "sts", "kms", "sqs", "secretsmanager", "cognito-idp", "cognito-identity", "logs", "dynamodb", "ecr", "aoss"}, service)
}
