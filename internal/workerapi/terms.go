package workerapi

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/gatehouse-project/gatehouse/connector"
)

// termsLine mirrors [connector.Terms].
type termsLine struct {
	Effect     connector.Effect `json:"effect,omitempty"`
	Actions    []string         `json:"actions,omitempty"`
	NotActions []string         `json:"not_actions,omitempty"`
	Conditions jsontext.Value   `json:"conditions,omitempty"`
	Given      connector.Given  `json:"given,omitempty"`
	ExpiresAt  *time.Time       `json:"expires_at,omitempty"`
}

func (t *termsLine) terms() *connector.Terms {
	if t == nil {
		return nil
	}
	return &connector.Terms{
		Effect: t.Effect, Actions: t.Actions, NotActions: t.NotActions, Conditions: []byte(t.Conditions), Given: t.Given, ExpiresAt: t.ExpiresAt,
	}
}
