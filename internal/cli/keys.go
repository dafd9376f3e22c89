package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
)

// encryption is the flags that name the keys which protect stored credentials.
type encryption struct {
	Key     string   `group:"Keys of credentials:" env:"GATEHOUSE_KEY" placeholder:"KEY" help:"Key that stored credentials are protected with: local:FILE, awskms:ARN, vault:MOUNT/KEY, azurekeyvault:URL, gcpkms:NAME or pgcrypto:FILE."`
	OpenKey []string `group:"Keys of credentials:" env:"GATEHOUSE_OPEN_KEYS" placeholder:"KEY" help:"Further key that credentials are read with and none is written under; repeat for more."`
}

// references is the flag that says what connections may refer to.
type references struct {
	AllowRef []string `group:"Keys of credentials:" env:"GATEHOUSE_ALLOW_REFS" placeholder:"WORKSPACE=REF" help:"Secret outside of Gatehouse that connections of a workspace may refer to, * for those of all: w_3=env:NAME, file:/PATH, file:/DIR/, awssm:ARN, with * at the end of a name or ARN for all that begin so; repeat for more. None without it."`
}

func (k encryption) options() KeyOptions { return KeyOptions{Key: k.Key, OpenKeys: k.OpenKey} }

// KeysCmd is `gatehouse keys`.
type KeysCmd struct {
	List   KeysListCmd   `cmd:"" default:"withargs" help:"List the keys of a database, and what is under each."`
	Check  KeysCheckCmd  `cmd:"" help:"Try each key that is given."`
	Create KeysCreateCmd `cmd:"" help:"Make a local key in a new file."`
	Rewrap KeysRewrapCmd `cmd:"" help:"Move all credentials under one key."`
	Retire KeysRetireCmd `cmd:"" help:"End the use of a key that nothing is under."`
}

// keysDatabase is the flags of the commands that look after keys. They work on
// the database and not on a server: they need what only the integrations
// service may.
type keysDatabase struct {
	DatabaseURL string `env:"GATEHOUSE_DATABASE_URL" placeholder:"URL" help:"PostgreSQL, as svc_integration."`
	DataDir     string `type:"path" complete:"files" placeholder:"PATH" help:"Data directory of a gatehouse dev that runs, instead: its database, and its local key beside those that are named."`
	encryption
	Output string `short:"o" enum:"table,json" default:"table" help:"What to print (table, json)."`
}

// plane returns the database and the keys that the flags name.
func (d *keysDatabase) plane(e *environment) (databaseURL string, o KeyOptions, err error) {
	o = d.options()
	switch {
	case d.DataDir != "" && d.DatabaseURL != "" && d.DatabaseURL != os.Getenv("GATEHOUSE_DATABASE_URL"):
		return "", o, usagef("--data-dir: is given beside --database-url; name the database by one of them")
	case d.DataDir == "" && d.DatabaseURL != "":
		return d.DatabaseURL, o, nil
	case d.DataDir == "":
		return "", o, usagef("--database-url: is missing; name the database, or with --data-dir the data directory of a gatehouse dev (%s)", devDataDir)
	case e.services.Keys.Local == nil:
		return "", o, errNotBuilt
	}
	databaseURL, local, err := e.services.Keys.Local(d.DataDir)
	if err != nil {
		return "", o, err
	}
	switch {
	case o.Key == "":
		o.Key = local
	case local != "" && local != o.Key && !slices.Contains(o.OpenKeys, local):
		o.OpenKeys = append(slices.Clone(o.OpenKeys), local)
	}
	return databaseURL, o, nil
}

// print prints a table, or value as JSON.
func (d *keysDatabase) print(e *environment, value any, t output.Table) error {
	if d.Output != "json" {
		return t.Write(e.Out, e.width())
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	return e.printJSON(raw)
}

// KeysListCmd is `gatehouse keys list`.
type KeysListCmd struct {
	keysDatabase
}

// Help returns examples.
func (KeysListCmd) Help() string {
	return `Shows every key that services of this database have written credentials under, how many are, and what may be done with it. Give the same --key and --open-key as the integrations service to see which of them it writes under and can open.

    gatehouse keys list --database-url postgres://svc_integration@db/gatehouse --key local:/etc/gatehouse/local.key
    gatehouse keys list --data-dir .gatehouse/dev`
}

// Run lists keys.
func (cmd *KeysListCmd) Run(ctx context.Context, e *environment) error {
	if e.services.Keys.List == nil {
		return errNotBuilt
	}
	databaseURL, keys, err := cmd.plane(e)
	if err != nil {
		return err
	}
	list, err := e.services.Keys.List(ctx, databaseURL, keys)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Kind", "Key", "Credentials", "Since", "State"}, Empty: "No key has been used yet."}
	for _, k := range list {
		t.Rows = append(t.Rows, []string{k.Kind, k.ID, fmt.Sprint(k.Credentials), output.Time(k.Since), k.State})
	}
	return cmd.print(e, map[string]any{"keys": list}, t)
}

// KeysCheckCmd is `gatehouse keys check`.
type KeysCheckCmd struct {
	keysDatabase
}

// Help returns examples.
func (KeysCheckCmd) Help() string {
	return `Has each given key wrap and unwrap a random data key, and makes sure that it refuses to for another row. Credentials are not touched. Exits with 1 when a key does not work.

    gatehouse keys check --database-url postgres://svc_integration@db/gatehouse \
      --key awskms:arn:aws:kms:eu-west-1:111122223333:key/0b5c1b0c-2c1e-4d0e-9b7e-0a6f2f6a1c11 --open-key local:/etc/gatehouse/local.key`
}

// Run tries keys.
func (cmd *KeysCheckCmd) Run(ctx context.Context, e *environment) error {
	if e.services.Keys.Check == nil {
		return errNotBuilt
	}
	databaseURL, keys, err := cmd.plane(e)
	if err != nil {
		return err
	}
	if keys.Key == "" && len(keys.OpenKeys) == 0 {
		return usagef("--key: is missing; name the keys to try with --key and --open-key")
	}
	list, err := e.services.Keys.Check(ctx, databaseURL, keys)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Kind", "Key", "Used for", "Result"}}
	bad := false
	for _, k := range list {
		use, result := "reading", "works"
		if k.Current {
			use = "writing"
		}
		if k.Problem != "" {
			result, bad = k.Problem, true
		}
		t.Rows = append(t.Rows, []string{k.Kind, k.ID, use, result})
	}
	if err := cmd.print(e, map[string]any{"keys": list}, t); err != nil {
		return err
	}
	if bad {
		return &stopped{status: exitFailure}
	}
	return nil
}

// KeysCreateCmd is `gatehouse keys create`.
type KeysCreateCmd struct {
	File string `arg:"" type:"path" complete:"files" help:"File to write, which must not exist yet."`
}

// Help returns examples.
func (KeysCreateCmd) Help() string {
	return `Writes 32 random bytes into a new file with mode 0400. The first start of the integrations service makes its key by itself; this is for going over to another one. Keep the file apart from backups of the database.

    gatehouse keys create /etc/gatehouse/local-2.key`
}

// Run makes a key.
func (cmd *KeysCreateCmd) Run(e *environment) error {
	if e.services.Keys.Create == nil {
		return errNotBuilt
	}
	id, err := e.services.Keys.Create(cmd.File)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.Out, "Wrote the key %s; name it with --key local:%s.\n", id, output.Clean(cmd.File))
	return err
}

// KeysRetireCmd is `gatehouse keys retire`.
type KeysRetireCmd struct {
	keysDatabase
	Kind string `arg:"" help:"Kind of the key, such as local."`
	ID   string `arg:"" name:"key-id" help:"Id of the key, as keys list shows it."`
	Yes  bool   `short:"y" help:"Do not ask."`
}

// Help returns examples.
func (KeysRetireCmd) Help() string {
	return `From then on nothing can be written under the key, also by a service that still runs with it, and services start without being given it. A key that a credential is under cannot be retired. The key itself is yours to keep or destroy; a backup of the database from before may still need it.

    gatehouse keys retire --database-url postgres://svc_integration@db/gatehouse local local:4f2a9c0d11b37e58`
}

// Run retires a key.
func (cmd *KeysRetireCmd) Run(ctx context.Context, e *environment) error {
	if e.services.Keys.Retire == nil {
		return errNotBuilt
	}
	databaseURL, _, err := cmd.plane(e)
	if err != nil {
		return err
	}
	if err := e.confirm(ctx, cmd.Yes, fmt.Sprintf("Retire the %s key %s?", cmd.Kind, cmd.ID)); err != nil {
		return err
	}
	if err := e.services.Keys.Retire(ctx, databaseURL, cmd.Kind, cmd.ID); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "The %s key %s is retired.\n", output.Clean(cmd.Kind), output.Clean(cmd.ID))
	return nil
}
