package app

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/keyring"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/seal"
)

func integrationsDB(t *testing.T, url string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: url, Service: "test", MaxConns: 2})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db
}

// start does with keys what the integrations service does when it starts.
func start(t *testing.T, db *postgres.DB, settings KeySettings) error {
	t.Helper()
	k, err := openKeys(t.Context(), db, settings)
	if err != nil {
		return err
	}
	return k.use(t.Context(), db, audit.System("test"))
}

func newKeyFile(t *testing.T) (path, id string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "new.key")
	id, err := CreateKey(path)
	require.NoError(t, err)
	return path, id
}

func TestKeyOfAnotherDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	db := integrationsDB(t, b.database.URL("svc_integration"))
	require.NoError(t, start(t, db, KeySettings{Write: "local:" + b.keyFile}), "the same file again")

	other := t.TempDir() + "/other.key"
	err := start(t, db, KeySettings{Write: "local:" + other})
	var missing *seal.MissingKeyError
	require.ErrorAs(t, err, &missing, "no new key is made over existing ciphertext")
	require.NoFileExists(t, other)
	id, err := CreateKey(other)
	require.NoError(t, err)
	err = start(t, db, KeySettings{Write: "local:" + other})
	require.Equal(t, fault.Conflict, fault.KindOf(err))
	known, err2 := seal.LoadLocal(b.keyFile)
	require.NoError(t, err2)
	require.ErrorContains(t, err, known.KeyID(), "the missing key is named")
	require.ErrorContains(t, err, "--open-key")
	list, err := postgres.NewKeyring(db).Keys(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1, "a start that was refused registers nothing")

	require.NoError(t, start(t, db, KeySettings{Write: "local:" + other, Open: []string{"local:" + b.keyFile}}))
	err = start(t, db, KeySettings{Write: "local:" + b.keyFile})
	require.ErrorContains(t, err, id, "from now on both are needed")
}

func TestForgedKeyIDIsNoticed(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	db := integrationsDB(t, b.database.URL("svc_integration"))
	_, err := b.super.Exec(t.Context(), "update encryption_keys set check_value = decode(repeat('00', 32), 'hex')")
	require.NoError(t, err)
	require.ErrorIs(t, start(t, db, KeySettings{Write: "local:" + b.keyFile}), seal.ErrKeyMismatch)
}

func TestKeyOfADataPlaneNotSetUpIsNotRegistered(t *testing.T) {
	t.Parallel()
	db := integrationsDB(t, databases.New(t).URL("svc_integration"))
	err := start(t, db, KeySettings{Write: "local:" + t.TempDir() + "/local.key"})
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
}

func TestSettingsThatNameNoKey(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	db := integrationsDB(t, b.database.URL("svc_integration"))
	mine := "local:" + b.keyFile
	for want, settings := range map[string]KeySettings{
		"keys are named local:FILE":         {Write: "rot13:abc"},
		"lacks the name":                    {Write: "local:"},
		"no option token":                   {Write: "vault:transit/gatehouse?token=s.123"},
		"an alias cannot be used":           {Write: "awskms:arn:aws:kms:eu-west-1:111122223333:alias/x"},
		"projects/P/locations/L":            {Write: "gcpkms:key"},
		"https://NAME.vault.azure.net":      {Write: "azurekeyvault:https://x.vault.azure.net/keys/k"},
		"such as transit/gatehouse":         {Write: "vault:transit"},
		"is given twice":                    {Write: mine, Open: []string{mine}},
		"passphrase file":                   {Write: mine, Open: []string{"pgcrypto:" + t.TempDir() + "/none"}},
		"no key to write credentials under": {Open: []string{mine}},
	} {
		require.ErrorContains(t, start(t, db, settings), want)
	}
}

// TestLocalKeyIsReplacedWhileTheServiceRuns goes the operator's way from one key
// to another, to the end of the first.
func TestLocalKeyIsReplacedWhileTheServiceRuns(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	url := b.database.URL("svc_integration")
	for n := range 3 {
		b.newConnection(t, fmt.Sprint("AWS ", n))
	}
	path, id := newKeyFile(t)
	c := KeysConfig{DatabaseURL: url, Keys: KeySettings{Write: "local:" + path, Open: []string{"local:" + b.keyFile}}}
	old, err := seal.LoadLocal(b.keyFile)
	require.NoError(t, err)
	inUse := RetireKey(t.Context(), url, "local", old.KeyID())
	require.Equal(t, fault.Conflict, fault.KindOf(inUse), "a key in use cannot be retired")
	require.NotContains(t, inUse.Error(), "SQLSTATE", "the database's words are no help")

	checked, err := CheckKeys(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, []CheckedKey{
		{Key: keyring.Key{Wrapper: "local", ID: id}, Current: true}, {Key: keyring.Key{Wrapper: "local", ID: old.KeyID()}},
	}, checked)
	var steps [][2]int64
	result, err := RewrapKeys(t.Context(), c, func(moved, all int64) { steps = append(steps, [2]int64{moved, all}) })
	require.NoError(t, err)
	require.Equal(t, keyring.Result{Moved: 3, New: true}, result)
	require.Equal(t, [][2]int64{{0, 3}, {3, 3}}, steps)

	// The service of the bench still writes under the old key, which it may,
	// until that is retired.
	b.newConnection(t, "AWS 4")
	result, err = RewrapKeys(t.Context(), c, func(int64, int64) {})
	require.NoError(t, err)
	require.Equal(t, keyring.Result{Moved: 1}, result)
	require.NoError(t, RetireKey(t.Context(), url, "local", old.KeyID()))
	refused := b.builder(t, http.MethodPost, "/v1/connections", awsDraft("AWS 5"))
	require.Equal(t, http.StatusServiceUnavailable, refused.status, refused.text)
	require.NotContains(t, refused.text, canary)
	require.Equal(t, fault.NotFound, fault.KindOf(RetireKey(t.Context(), url, "local", old.KeyID())))
	back := KeysConfig{DatabaseURL: url, Keys: KeySettings{Write: "local:" + b.keyFile, Open: []string{"local:" + path}}}
	_, err = RewrapKeys(t.Context(), back, func(int64, int64) {})
	require.Equal(t, fault.Conflict, fault.KindOf(err), "nothing is written under a retired key again")
	require.ErrorContains(t, err, old.KeyID()+" was retired")
	require.Equal(t, fault.Conflict, fault.KindOf(start(t, integrationsDB(t, url), back.Keys)), "no service starts with it either")
	list, err := ListKeys(t.Context(), KeysConfig{DatabaseURL: url, Keys: KeySettings{Write: "local:" + path}})
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, keyring.Current, list[0].State())
	require.Equal(t, int64(4), list[0].Credentials)

	require.NoError(t, os.Remove(b.keyFile))
	require.NoError(t, start(t, integrationsDB(t, url), KeySettings{Write: "local:" + path}), "the old key is needed no more")
	var events int
	require.NoError(t, b.super.QueryRow(t.Context(),
		"select count(*) from audit_events where action in ('encryption_key_registered', 'encryption_key_retired', 'credentials_rewrapped')").Scan(&events))
	require.Equal(t, 5, events, "two keys registered, two rewraps that moved something, one retired")
}
