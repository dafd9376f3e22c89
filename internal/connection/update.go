package connection

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/mergepatch"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Patch is a partial change; nil fields stay as they are. The JSON ones are merge
// patches (RFC 7396): null, alone or of a member, removes.
type Patch struct {
	Name *string
	// Configuration is merged: an absent field keeps its value, secrets too.
	Configuration json.RawMessage
	Scope         json.RawMessage
	Schedule      json.RawMessage
	Metadata      json.RawMessage
	Lifecycle     *Lifecycle
	// Target names the organisation of a connection that has none yet.
	Target *id.Target
	// IsDefault makes the connection the default of its target, or ends that.
	IsDefault *bool
	// IfVersion makes the change Stale unless the connection has this version.
	IfVersion *int64
}

// Update applies a patch. Secrets that the patch does not name stay. A
// configuration that changes is sealed anew, and whom it acts as is unknown until
// the next test or run. The error is a [*StaleError] when somebody was faster.
func (s *Service) Update(ctx context.Context, c workspace.Caller, connID id.Connection, p Patch) (conn Connection, err error) {
	if err := c.Require(workspace.ManageConnections); err != nil {
		return Connection{}, err
	}
	for range renewTries {
		if conn, err = s.update(ctx, c, connID, p); !errors.Is(err, ErrRenewedMeanwhile) {
			return conn, err
		}
	}
	return conn, err
}

// update fails with ErrRenewedMeanwhile when a worker has replaced the credential
// that the patch was merged into.
func (s *Service) update(ctx context.Context, c workspace.Caller, connID id.Connection, p Patch) (Connection, error) {
	conn, err := s.Store.Get(ctx, c.Scope, connID)
	if err != nil {
		return Connection{}, err
	}
	was := conn.Version
	if p.IfVersion != nil && *p.IfVersion != was {
		return Connection{}, Stale(was)
	}
	entry, err := s.Catalog.Get(conn.Integration)
	if err != nil {
		return Connection{}, err
	}
	var wrong wrongFields
	changed := s.apply(ctx, &conn, entry, p, &wrong)
	change := Change{Was: was, Default: p.IsDefault}
	conn.Version = was + 1
	payload := map[string]any{"version": conn.Version}
	if p.Configuration != nil {
		changed = append(changed, "configuration")
		configuration, err := s.reconfigure(ctx, conn, entry, p.Configuration)
		wrong.add(err)
		if err := wrong.err(); err != nil {
			return Connection{}, err
		}
		conn.Config, conn.ConfigRefs = configuration.Config, configuration.ReferenceKinds()
		conn.SecretFields = configuration.SecretNames
		conn.CredentialType, change.Reconfigured = "", true
		if change.Sealed, err = s.Vault.seal(ctx, conn, entry, configuration); err != nil {
			return Connection{}, err
		}
		if change.Sealed != nil {
			conn.CredentialType = change.Sealed.Type
		}
		given := givenSecrets(entry, p.Configuration)
		change.Anew = entry.Renewal != nil && slices.Contains(given, entry.Renewal.Field)
		payload["secret_fields"] = given
	}
	if err := wrong.err(); err != nil {
		return Connection{}, err
	}
	change.Connection = conn
	payload["changed"] = changed
	return s.Store.Update(ctx, change, audit.Event{
		Actor: c.Actor(), Action: audit.ConnectionEdited, Outcome: audit.Succeeded, TargetType: "connection", TargetID: conn.ID.String(),
		Payload: payload,
	})
}

// givenSecrets names the secret fields that a patch of the configuration sets or
// removes, in order of name.
func givenSecrets(entry *integration.Integration, patch json.RawMessage) []string {
	var given map[string]json.RawMessage
	names := []string{}
	if json.Unmarshal(patch, &given) != nil {
		return names // what is no object was refused before
	}
	for _, f := range entry.ConfigurationFields() {
		// A patch that is null as a whole removes every field.
		if _, ok := given[f.Name]; f.Secret && (ok || given == nil) {
			names = append(names, f.Name)
		}
	}
	return names
}

// reconfigure merges a patch into the stored configuration.
func (s *Service) reconfigure(ctx context.Context, conn Connection, entry *integration.Integration, patch json.RawMessage) (integration.Configuration, error) {
	stored, err := s.Vault.open(ctx, s.Store, conn)
	if errors.Is(err, ErrUnreadable) {
		// Whoever enters the secrets anew needs none of the old ones; whoever
		// does not is told which are missing.
		stored, err = slices.Clone(conn.Config), entersAnew(patch, conn.SecretFields)
	}
	if err != nil {
		return integration.Configuration{}, err
	}
	defer clear(stored)
	return entry.Merge(stored, patch)
}

// entersAnew returns an Invalid error that names each of the secrets that the
// patch neither sets nor removes, and that would be lost with it.
func entersAnew(patch json.RawMessage, secrets []string) error {
	var named map[string]json.RawMessage
	if err := json.Unmarshal(patch, &named); err != nil || named == nil {
		return nil //nolint:nilerr // null removes everything, and what is no object is refused by the merge
	}
	var lost []fault.Field
	for _, name := range secrets {
		if _, ok := named[name]; !ok {
			lost = append(lost, fault.Field{
				Path: "configuration." + name, Message: "is stored and does not open any more; enter it again, or send null to remove it",
			})
		}
	}
	if len(lost) > 0 {
		return fault.InvalidFields(lost...)
	}
	return nil
}

// Delete removes a connection and its credential. With a version, it is Stale
// unless the connection has that one.
func (s *Service) Delete(ctx context.Context, c workspace.Caller, conn id.Connection, ifVersion *int64) error {
	if err := c.Require(workspace.ManageConnections); err != nil {
		return err
	}
	return s.Store.Delete(ctx, c.Scope, conn, ifVersion, audit.Event{
		Actor: c.Actor(), Action: audit.ConnectionDeleted, Outcome: audit.Succeeded, TargetType: "connection", TargetID: conn.String(),
	})
}

// apply puts the patch's fields other than the configuration into conn and
// returns the names of those that were given.
func (s *Service) apply(ctx context.Context, conn *Connection, entry *integration.Integration, p Patch, wrong *wrongFields) (changed []string) {
	var err error
	note := func(name string) { changed = append(changed, name) }
	if p.Name != nil {
		conn.Name, err = validName(*p.Name)
		wrong.add(err)
		note("name")
	}
	if p.Scope != nil {
		merged, err := merge("scope", conn.ReadScope, p.Scope)
		wrong.add(err)
		if err == nil {
			conn.ReadScope, err = entry.ValidateScope(merged)
			wrong.add(err)
		}
		note("scope")
	}
	if p.Metadata != nil {
		merged, err := merge("metadata", conn.Metadata, p.Metadata)
		wrong.add(err)
		if err == nil {
			conn.Metadata, err = validMetadata(merged)
			wrong.add(err)
		}
		note("metadata")
	}
	if p.Schedule != nil {
		conn.Schedule, err = conn.Schedule.patched(p.Schedule)
		wrong.add(err)
		conn.NextRunAt = conn.Schedule.nextStart(conn.ID, time.Now())
		note("schedule")
	}
	if p.Lifecycle != nil {
		wrong.add(validLifecycle(*p.Lifecycle, Active, Disabled))
		conn.Lifecycle = *p.Lifecycle
		note("lifecycle")
	}
	if p.Target != nil {
		wrong.add(s.aim(ctx, conn, *p.Target, entry.ProviderSystem))
		note("target_id")
	}
	if p.IsDefault != nil {
		if *p.IsDefault && conn.Target == nil {
			wrong.add(fault.InvalidField("is_default", "needs a target, which a first successful test finds; test the connection first"))
		}
		note("is_default")
	}
	return changed
}

// aim gives a connection that has no target the named one.
func (s *Service) aim(ctx context.Context, conn *Connection, t id.Target, providerSystem string) error {
	if conn.Target != nil && conn.Target.ID != t {
		return fault.InvalidField("target_id", "is %s and stays so, because what was read is of that organisation; create another connection for another one", conn.Target.ID)
	}
	if conn.Target != nil {
		return nil
	}
	target, err := s.named(ctx, conn.Scope, t, providerSystem)
	conn.Target = target
	return err
}

func merge(field string, document, patch json.RawMessage) (json.RawMessage, error) {
	if bytes.Equal(bytes.TrimSpace(patch), []byte("null")) {
		return json.RawMessage("{}"), nil
	}
	merged, err := mergepatch.Apply(document, patch)
	if err != nil {
		return nil, fault.InvalidField(field, "must be valid JSON")
	}
	return merged, nil
}

// StaleError is the error of a change to an older version than the given one.
type StaleError struct {
	// Version is the connection's version now.
	Version int64
}

// Stale is the error of a change meant for another version than the present one.
func Stale(version int64) error {
	return fault.Wrap(fault.Stale, &StaleError{Version: version},
		"the connection has changed since you read it (it is at version %d now); read it again and repeat your change", version)
}

func (e *StaleError) Error() string { return fmt.Sprintf("the connection is at version %d", e.Version) }
