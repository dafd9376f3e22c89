package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// IdentityAccess is that a person or workload reaches a resource.
type IdentityAccess struct {
	// Identity is nil for an account through which nobody is known to act.
	Identity *IdentityRef `json:"identity"`
	// Decision is allowed, conditional or denied, Access direct or inherited.
	Decision string `json:"decision"`
	Access   string `json:"access"`
	// Accounts is how many accounts there are ways by, of which some are shown.
	Accounts int      `json:"accounts"`
	Ways     []Access `json:"ways"`
}

// IdentityAccessList is an answer to who-can by identity.
type IdentityAccessList struct {
	List[IdentityAccess]
	// Subject is the resource that was asked about.
	Subject EntityRef
	Basis   Basis
	// Accounts is the number of accounts of all rows, nil unless asked for.
	Accounts *int
}

// WhoCanByIdentity lists which persons and workloads can reach a resource.
func (c *Client) WhoCanByIdentity(ctx context.Context, resource string, f AccessFilter, pages Pages) (IdentityAccessList, error) {
	l, err := list[IdentityAccess](ctx, c, "/v1/access/resources/"+url.PathEscape(resource)+"/identities", "identities", f.query(), pages)
	if err != nil {
		return IdentityAccessList{}, err
	}
	answer := IdentityAccessList{List: l}
	if err := json.Unmarshal(l.Raw, &answer.Basis); err != nil {
		return answer, fmt.Errorf("read what the answer rests on: %w", err)
	}
	if err := json.Unmarshal(l.Last["resource"], &answer.Subject); err != nil {
		return answer, fmt.Errorf("read what the answer is about: %w", err)
	}
	if count, counted := l.Last["account_count"]; counted {
		if err := json.Unmarshal(count, &answer.Accounts); err != nil {
			return answer, fmt.Errorf("read how many accounts there are: %w", err)
		}
	}
	return answer, nil
}
