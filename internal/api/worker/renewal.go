package worker

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

func registerRenewals(a huma.API, i Integrations) {
	register(a, http.MethodPost, "begin-credential-renewal", "/v1/worker/runs/{run_id}/credential-renewal", i.beginRenewal)
	register(a, http.MethodPost, "end-credential-renewal", "/v1/worker/runs/{run_id}/credential-renewal/end", i.endRenewal)
}

type renewalInput struct {
	Held
	Body workerapi.RenewalRequest
}

type renewalOutput struct{ Body workerapi.RenewalAnswer }

// beginRenewal hands a secret to the one worker that exchanges it.
func (i Integrations) beginRenewal(ctx context.Context, in *renewalInput) (*renewalOutput, error) {
	r, err := i.renewal(in.Held, in.Body.Epoch, in.Body.RenewalID)
	if err != nil {
		return nil, err
	}
	turn, err := i.renewals().Begin(ctx, r)
	if err != nil {
		return nil, unreadable(err)
	}
	api.Accept(ctx)
	answer := workerapi.RenewalAnswer{WaitMilliseconds: (turn.Wait + time.Millisecond - 1).Milliseconds()}
	if turn.Wait == 0 {
		answer.Secret, answer.LeaseMilliseconds = turn.Secret.RevealString(), connection.RenewalLease.Milliseconds()
	}
	return &renewalOutput{Body: answer}, nil
}

type renewalEndInput struct {
	Held
	Body workerapi.RenewalEnd
}

// endRenewal stores what the provider gave, or that it gave nothing.
func (i Integrations) endRenewal(ctx context.Context, in *renewalEndInput) (*struct{}, error) {
	r, err := i.renewal(in.Held, in.Body.Epoch, in.Body.RenewalID)
	if err != nil {
		return nil, err
	}
	err = i.renewals().End(ctx, r, connection.RenewalOutcome(in.Body.Outcome), secret.FromString(in.Body.Secret))
	if err != nil {
		return nil, unreadable(err)
	}
	api.Accept(ctx)
	return nil, nil
}

func (i Integrations) renewals() connection.Renewals {
	return connection.Renewals{Vault: i.Vault, Store: i.Renewals}
}

// renewal reads who exchanges. Whether there is leave is for the store to say.
func (i Integrations) renewal(h Held, epoch int64, renewalID string) (connection.Renewal, error) {
	token, err := run.ParseToken(h.Authorization.Reveal())
	if err != nil {
		return connection.Renewal{}, err
	}
	if token.Run != h.RunID.ID || token.Epoch != epoch {
		return connection.Renewal{}, fault.New(fault.Stale, "the token is for another run or epoch")
	}
	r := connection.Renewal{Claim: connection.Claim{
		Scope: id.Scope{Tenant: i.Tenant, Workspace: token.Workspace}, Run: token.Run, Epoch: token.Epoch, TokenHash: token.Hash,
	}}
	if n, err := hex.DecodeString(renewalID); err != nil || copy(r.ID[:], n) != len(r.ID) {
		return connection.Renewal{}, fault.InvalidField("renewal_id", "must be 32 hexadecimal digits")
	}
	return r, nil
}

// unreadable explains a credential that does not open: not a failure that passes.
// The run ends, and says what is to be done.
func unreadable(err error) error {
	if errors.Is(err, connection.ErrUnreadable) {
		return fault.Wrap(fault.Invalid, err, "the stored credential is gone or does not open; enter its secrets again")
	}
	return err
}
