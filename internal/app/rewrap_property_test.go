package app

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connectors/builtin"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/keyring"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// vault is a database with a few connections in two workspaces, and what their
// credentials are.
type vault struct {
	db      *postgres.DB
	super   *pgxpool.Pool
	store   *postgres.Connections
	ring    *postgres.Keyring
	keys    []*seal.Local
	ciphers []*cipher
	opener  *seal.Opener
	written []written
}

// written is a connection as it was last written.
type written struct {
	conn  connection.Connection
	plain string
}

const keysOfVault = 3

func newVault(t *testing.T) *vault {
	t.Helper()
	d := databases.New(t)
	admin := integrationsDB(t, d.URL("svc_workspace"))
	first, _, err := workspace.Bootstrap(t.Context(), postgres.NewWorkspaces(admin), 1, "Contoso", "first")
	require.NoError(t, err)
	second := id.Scope{Tenant: 1}
	require.NoError(t, d.SuperuserPool().QueryRow(t.Context(), `insert into workspaces (name) values ('second') returning workspace_id`).Scan(&second.Workspace))

	db := integrationsDB(t, d.URL("svc_integration"))
	v := &vault{db: db, super: d.SuperuserPool(), store: postgres.NewConnections(db), ring: postgres.NewKeyring(db)}
	catalog, err := integration.NewCatalog(builtin.Connectors())
	require.NoError(t, err)
	require.NoError(t, postgres.NewIntegrations(db).SyncCatalog(t.Context(), catalog))
	var wrappers []seal.KeyWrapper
	for n := range keysOfVault {
		key, err := seal.CreateLocal(fmt.Sprintf("%s/%d.key", t.TempDir(), n))
		require.NoError(t, err)
		v.keys = append(v.keys, key)
		wrappers = append(wrappers, key)
		require.NoError(t, v.ring.Register(t.Context(), nameOf(key), key.CheckValue(), func([]keyring.Registered) error { return nil }, testEvent(audit.EncryptionKeyRegistered)))
	}
	v.opener, err = seal.NewOpener(wrappers...)
	require.NoError(t, err)
	for _, key := range v.keys {
		v.ciphers = append(v.ciphers, &cipher{sealer: seal.NewSealer(key), opener: v.opener})
	}
	for n := range 7 {
		scope := first
		if n%3 == 2 {
			scope = second
		}
		v.create(t, scope, fmt.Sprint("AWS ", n))
	}
	return v
}

func testEvent(a audit.Action) audit.Event {
	return audit.Event{Actor: audit.System("test"), Action: a, Outcome: audit.Succeeded, TargetType: "connection", Payload: map[string]any{}}
}

func (v *vault) create(t *testing.T, scope id.Scope, name string) {
	t.Helper()
	drawn, err := v.store.NextID(t.Context())
	require.NoError(t, err)
	conn := connection.Connection{
		ID: drawn, Scope: scope, Integration: "aws", ConnectorID: "aws-discovery", ConnectorVersion: "1", Name: name,
		Config: []byte(`{}`), ReadScope: []byte(`{}`), Metadata: []byte(`{}`), Schedule: connection.Schedule{Type: connection.Manual},
		Lifecycle: connection.Active, Status: connection.Unknown, CredentialType: "access_key", Version: 1,
	}
	sealed, err := v.ciphers[0].Seal(t.Context(), scope, drawn, 1, "1", secret.FromString(name))
	require.NoError(t, err)
	sealed.Type = "access_key"
	made, err := v.store.Create(t.Context(), connection.Creation{Connection: conn, Sealed: &sealed}, testEvent(audit.ConnectionCreated))
	require.NoError(t, err)
	stored, err := v.store.Get(t.Context(), scope, made)
	require.NoError(t, err)
	v.written = append(v.written, written{conn: stored, plain: name})
}

// write replaces the secret of the n-th connection under a key.
func (v *vault) write(ctx context.Context, n, key int, plain string) error {
	w := &v.written[n]
	next := w.conn
	next.Version++
	sealed, err := v.ciphers[key].Seal(ctx, next.Scope, next.ID, next.Version, "1", secret.FromString(plain))
	if err != nil {
		return err
	}
	sealed.Type = "access_key"
	stored, err := v.store.Update(ctx, connection.Change{Connection: next, Was: w.conn.Version, Reconfigured: true, Sealed: &sealed}, testEvent(audit.ConnectionEdited))
	if err != nil {
		return err
	}
	w.conn, w.plain = stored, plain
	return nil
}

// requireReadable opens every credential as a disclosure would.
func (v *vault) requireReadable(ctx context.Context, t require.TestingT) {
	for _, w := range v.written {
		sealed, ok, err := v.store.Credential(ctx, w.conn.Scope, w.conn.ID)
		require.NoError(t, err)
		require.True(t, ok)
		plain, err := v.ciphers[0].Open(ctx, w.conn.Scope, w.conn.ID, sealed)
		require.NoError(t, err, "%s under %s", w.conn.ID, sealed.KMSKeyID)
		require.Equal(t, w.plain, plain.RevealString())
	}
}

// errKilled is what a killed process would have ended of.
var errKilled = errors.New("killed")

// killable is a store and cipher that end their process before, or right after,
// one of their calls, and write a credential behind its back between calls.
type killable struct {
	*postgres.Keyring
	cipher keyring.Cipher
	calls  atomic.Int64
	at     int64
	after  bool
	kill   context.CancelCauseFunc
	// meanwhile runs before each storing of wrapped keys.
	meanwhile func()
}

// step counts a call; done tells it that the call has returned.
func (k *killable) step() (done func()) {
	n := k.calls.Add(1)
	if n == k.at && !k.after {
		k.kill(errKilled)
	}
	return func() {
		if n == k.at && k.after {
			k.kill(errKilled)
		}
	}
}

func (k *killable) NotUnder(ctx context.Context, key keyring.Key, after keyring.Ref, _ int) ([]keyring.Ref, error) {
	defer k.step()()
	return k.Keyring.NotUnder(ctx, key, after, 3)
}

func (k *killable) Read(ctx context.Context, w id.Workspace, connections []id.Connection, key keyring.Key) ([]keyring.Credential, error) {
	defer k.step()()
	return k.Keyring.Read(ctx, w, connections, key)
}

func (k *killable) Move(ctx context.Context, scope id.Scope, key keyring.Key, changes []keyring.Rewrapped, e audit.Event) (int, error) {
	defer k.step()()
	k.meanwhile()
	return k.Keyring.Move(ctx, scope, key, changes, e)
}

func (k *killable) Rewrap(ctx context.Context, c keyring.Credential) (connection.Sealed, error) {
	defer k.step()()
	return k.cipher.Rewrap(ctx, c)
}

// TestRotationNeverLeavesACredentialUnreadable writes, rewraps, is killed
// between any two steps, retires keys, and opens everything after each.
func TestRotationNeverLeavesACredentialUnreadable(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var moved, killed, raced int64
	rapid.Check(t, func(r *rapid.T) {
		for range rapid.IntRange(1, 4).Draw(r, "actions") {
			n := rapid.IntRange(0, len(v.written)-1).Draw(r, "connection")
			key := rapid.IntRange(0, keysOfVault-1).Draw(r, "key")
			switch rapid.SampledFrom([]string{"write", "rewrap", "rewrap", "retire"}).Draw(r, "action") {
			case "write":
				require.NoError(r, v.write(t.Context(), n, key, rapid.StringN(1, 20, 40).Draw(r, "secret")))
			case "rewrap":
				ctx, kill := context.WithCancelCause(t.Context())
				to := v.keys[key]
				k := &killable{
					Keyring: v.ring, cipher: &rewrapper{opener: v.opener, to: to}, kill: kill,
					at: rapid.Int64Range(1, 25).Draw(r, "killed at"), after: rapid.Bool().Draw(r, "after the call"),
				}
				other, races := rapid.IntRange(0, keysOfVault-1).Draw(r, "key of another"), rapid.Bool().Draw(r, "another writes meanwhile")
				var failure error
				k.meanwhile = func() {
					if races {
						raced++
						failure = errors.Join(failure, v.write(t.Context(), n, other, fmt.Sprint("raced ", raced)))
						races = false
					}
				}
				result, err := (&keyring.Rewrapper{Store: k, Cipher: k, Current: nameOf(to), By: audit.System("test")}).Run(ctx, func(keyring.Progress) {})
				kill(nil)
				require.NoError(r, failure)
				moved += result.Moved
				if err != nil {
					killed++
				} else {
					require.Zero(r, result.Unreadable)
					require.Zero(r, result.Left, "what a faultless rewrap leaves was written behind it")
				}
			case "retire":
				name := nameOf(v.keys[key])
				counts, err := v.ring.Count(t.Context())
				require.NoError(r, err)
				err = v.ring.Retire(t.Context(), name, testEvent(audit.EncryptionKeyRetired))
				if counts[name] > 0 {
					require.Equal(r, fault.Conflict, fault.KindOf(err), "a key in use cannot be retired")
				} else {
					require.NoError(r, err)
					require.Equal(r, fault.Unavailable, fault.KindOf(v.write(t.Context(), n, key, "late")), "nothing is written under a retired key")
					again := func() error {
						return v.ring.Register(t.Context(), name, nil, func([]keyring.Registered) error { return nil }, testEvent(audit.EncryptionKeyRegistered))
					}
					require.Equal(r, fault.Conflict, fault.KindOf(again()), "a retired key stays retired")
					// Only the owner of the database can take that back; here it is so that
					// the keys do not run out.
					_, err := v.super.Exec(t.Context(), "delete from retired_encryption_keys")
					require.NoError(r, err)
					require.NoError(r, again())
				}
			}
			v.requireReadable(t.Context(), r)
		}
	})
	require.Positive(t, moved)
	require.Positive(t, killed)
	require.Positive(t, raced)
}

func TestRewrapCountsWhatDoesNotOpen(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	for _, name := range []string{"a", "b", "c"} {
		b.newConnection(t, name)
	}
	_, err := b.super.Exec(t.Context(), `update credentials set ciphertext = overlay(ciphertext placing '\x00'::bytea from 5)
		where connection_id = (select min(connection_id) from credentials)`)
	require.NoError(t, err)
	path, _ := newKeyFile(t)
	url := b.database.URL("svc_integration")
	c := KeysConfig{DatabaseURL: url, Keys: KeySettings{Write: "local:" + path, Open: []string{"local:" + b.keyFile}}}
	for range 2 {
		result, err := RewrapKeys(t.Context(), c, func(int64, int64) {})
		require.NoError(t, err)
		require.Equal(t, [2]int64{1, 1}, [2]int64{result.Unreadable, result.Left})
		require.Len(t, result.Examples, 1)
		require.ErrorIs(t, result.Examples[0].Reason, keyring.ErrUnreadable)
		require.NotContains(t, result.Examples[0].Reason.Error(), canary)
	}
}

// TestLastCredentialThatIsChangedMeanwhileIsMovedAfterAll changes the only
// credential that is left to move between its reading and its storing.
func TestLastCredentialThatIsChangedMeanwhileIsMovedAfterAll(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	to := v.keys[1]
	for n := range v.written {
		if n > 0 {
			require.NoError(t, v.write(t.Context(), n, 1, "there already"))
		}
	}
	raced := false
	k := &killable{Keyring: v.ring, cipher: &rewrapper{opener: v.opener, to: to}, kill: func(error) {}}
	k.meanwhile = func() {
		if !raced {
			raced = true
			require.NoError(t, v.write(t.Context(), 0, 2, "meanwhile"))
		}
	}
	result, err := (&keyring.Rewrapper{Store: k, Cipher: k, Current: nameOf(to), By: audit.System("test")}).Run(t.Context(), func(keyring.Progress) {})
	require.NoError(t, err)
	require.True(t, raced)
	require.Equal(t, keyring.Result{Moved: 1}, result)
	v.requireReadable(t.Context(), t)
}
