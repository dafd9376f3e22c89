package connection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// RenewalLease is for how long a renewable secret is one session's alone. The
// exchange itself takes seconds; what is longer is for the answer to be stored.
const RenewalLease = 2 * time.Minute

// RenewalID is drawn at random by the session that exchanges.
type RenewalID [16]byte

// Renewal is one exchange of a connection's renewable secret at its provider.
type Renewal struct {
	// Claim is of the run that exchanges.
	Claim Claim
	ID    RenewalID
}

// RenewalOutcome is how an exchange ended.
type RenewalOutcome string

// The outcomes of an exchange.
const (
	// SecretRenewed has another secret take the place of the one exchanged.
	SecretRenewed RenewalOutcome = "renewed"
	// SecretKept says that the provider lets it stay.
	SecretKept RenewalOutcome = "kept"
	// SecretRefused says that the provider does not take it any more.
	SecretRefused RenewalOutcome = "refused"
	// SecretUnsure says that nobody knows whether it was used.
	SecretUnsure RenewalOutcome = "unknown"
)

// RenewalGrant is leave to exchange, or to ask again.
type RenewalGrant struct {
	Connection Connection
	Sealed     *Sealed
	// Wait is how long another session may still exchange; the rest is then zero.
	Wait time.Duration
}

// ErrRenewedMeanwhile is in the chain of the error when a credential was replaced
// since it was read. Whoever meant to change it reads it again.
var ErrRenewedMeanwhile = errors.New("the credential was replaced meanwhile")

// RenewalStore keeps who exchanges which secret. Every change commits together with
// its audit event.
type RenewalStore interface {
	// BeginRenewal gives leave to one exchange of a connection at a time, and says for
	// how long to wait while another has it. It records e when it gives leave, and
	// commits before it returns. The same exchange may begin again. A claim that is
	// no longer current is Stale; a connection whose configuration is not the one that
	// the claim was given, or which may not be used, is Invalid. allowed may refuse.
	BeginRenewal(ctx context.Context, r Renewal, allowed func(Connection) error, e audit.Event) (RenewalGrant, error)
	// Renewing returns the connection that r has leave for, also when the run is not
	// its claim's any more; Stale when another exchange has begun since, or somebody
	// has stored another secret. ended is empty while it is under way.
	Renewing(ctx context.Context, r Renewal) (g RenewalGrant, ended RenewalOutcome, err error)
	// StoreRenewed replaces the credential of was and ends r. The error has
	// [ErrRenewedMeanwhile] in its chain if the credential is not that of was any
	// more, and is Stale as for Renewing.
	StoreRenewed(ctx context.Context, r Renewal, was Connection, sealed Sealed, e audit.Event) error
	// EndRenewal ends r without another secret; Stale as for Renewing. A refusal makes
	// the connection wait for a new sign-in and records e.
	EndRenewal(ctx context.Context, r Renewal, o RenewalOutcome, e audit.Event) error
}

// Renewals has workers exchange secrets that providers replace at each use, one
// worker at a time for each connection.
type Renewals struct {
	Vault Vault
	Store RenewalStore
}

// RenewalTurn is what a worker is told that asks to exchange.
type RenewalTurn struct {
	Secret secret.Secret
	// Wait is how long to wait before asking again; zero when it is this worker's turn.
	Wait time.Duration
}

// Begin hands out the secret if nobody else exchanges it. The audit event is
// committed before.
func (s Renewals) Begin(ctx context.Context, r Renewal) (RenewalTurn, error) {
	g, err := s.Store.BeginRenewal(ctx, r, s.renewable, renewalEvent(r, audit.CredentialDisclosed, audit.Succeeded))
	if err != nil || g.Wait > 0 {
		return RenewalTurn{Wait: g.Wait}, err
	}
	field := s.Vault.renewedField(g.Connection.Integration)
	secrets, err := s.open(ctx, g)
	if err != nil {
		return RenewalTurn{}, err
	}
	var held string
	if json.Unmarshal(secrets[field], &held) != nil || held == "" {
		return RenewalTurn{}, fault.New(fault.Invalid, "the connection has no %s; sign in at the provider and store it", field)
	}
	return RenewalTurn{Secret: secret.FromString(held)}, nil
}

// End ends an exchange. Another secret is stored before it returns; the same end may
// be told again. A secret whose exchange was overtaken is not stored: that is Stale.
func (s Renewals) End(ctx context.Context, r Renewal, o RenewalOutcome, renewed secret.Secret) error {
	switch o {
	case SecretRenewed:
		return s.store(ctx, r, renewed)
	case SecretKept, SecretRefused, SecretUnsure:
		return s.Store.EndRenewal(ctx, r, o, renewalEvent(r, audit.CredentialRefused, audit.Failed))
	}
	return fault.InvalidField("outcome", "is none of renewed, kept, refused, unknown")
}

// renewTries bounds how often a secret is sealed again because somebody has edited
// the connection at the same moment.
const renewTries = 5

func (s Renewals) store(ctx context.Context, r Renewal, renewed secret.Secret) error {
	if renewed.IsZero() {
		return fault.InvalidField("secret", "is missing")
	}
	var err error
	for range renewTries {
		if err = s.storeOnce(ctx, r, renewed); !errors.Is(err, ErrRenewedMeanwhile) {
			return err
		}
	}
	return err
}

func (s Renewals) storeOnce(ctx context.Context, r Renewal, renewed secret.Secret) error {
	g, ended, err := s.Store.Renewing(ctx, r)
	switch {
	case err != nil:
		return err
	case ended == SecretRenewed:
		return nil // told again
	case ended != "":
		return fault.New(fault.Stale, "this renewal has ended already")
	}
	secrets, err := s.open(ctx, g)
	if err != nil {
		return err
	}
	field := s.Vault.renewedField(g.Connection.Integration)
	if secrets[field], err = json.Marshal(renewed.RevealString()); err != nil {
		return fmt.Errorf("encode a renewed secret: %w", err)
	}
	whole, err := json.Marshal(secrets)
	if err != nil {
		return fmt.Errorf("encode a credential: %w", err)
	}
	defer clear(whole)
	next := max(g.Sealed.Version, g.Connection.CredentialVersion, g.Connection.Version) + 1
	sealed, err := s.Vault.Cipher.Seal(ctx, g.Connection.Scope, g.Connection.ID, next, g.Sealed.SchemaVersion, secret.FromString(string(whole)))
	if err != nil {
		return fmt.Errorf("seal the renewed credential of %s: %w", g.Connection.ID, err)
	}
	sealed.Type = g.Sealed.Type
	e := renewalEvent(r, audit.CredentialRenewed, audit.Succeeded)
	e.Payload["credential_version"] = next
	return s.Store.StoreRenewed(ctx, r, g.Connection, sealed, e)
}

// open returns the secret half of a connection's configuration by field.
func (s Renewals) open(ctx context.Context, g RenewalGrant) (map[string]json.RawMessage, error) {
	if g.Sealed == nil {
		return nil, fmt.Errorf("open credential of %s: %w: it is gone", g.Connection.ID, ErrUnreadable)
	}
	plain, err := s.Vault.Cipher.Open(ctx, g.Connection.Scope, g.Connection.ID, *g.Sealed)
	if err != nil {
		return nil, fmt.Errorf("open credential of %s: %w", g.Connection.ID, err)
	}
	var secrets map[string]json.RawMessage
	if json.Unmarshal(plain.Reveal(), &secrets) != nil || secrets == nil {
		return nil, fmt.Errorf("open credential of %s: %w: it is not a JSON object", g.Connection.ID, ErrUnreadable)
	}
	return secrets, nil
}

// renewable refuses connections of integrations whose manifest declares no renewal.
func (s Renewals) renewable(c Connection) error {
	if s.Vault.renewedField(c.Integration) == "" {
		return fault.New(fault.Invalid, "the integration %s has no secret that its provider replaces", c.Integration)
	}
	return nil
}

// renewedField is the field whose secret the provider may replace; empty when the
// integration has none.
func (v Vault) renewedField(i integration.ID) string {
	if v.Catalog == nil {
		return ""
	}
	entry, err := v.Catalog.Get(i)
	if err != nil || entry.Renewal == nil {
		return ""
	}
	return entry.Renewal.Field
}

// withhold leaves out what is handed out for an exchange alone.
func (v Vault) withhold(i integration.ID, whole json.RawMessage) (json.RawMessage, error) {
	field := v.renewedField(i)
	if field == "" {
		return whole, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(whole, &fields); err != nil {
		return nil, fmt.Errorf("withhold %s: the configuration is not a JSON object", field)
	}
	delete(fields, field)
	return json.Marshal(fields)
}

func renewalEvent(r Renewal, a audit.Action, o audit.Outcome) audit.Event {
	return audit.Event{
		Actor: audit.Worker("run/" + r.Claim.Run.String()), Action: a, Outcome: o, TargetType: "connection",
		Payload: map[string]any{"run_id": r.Claim.Run.String(), "epoch": r.Claim.Epoch},
	}
}
