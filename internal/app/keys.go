package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/keyring"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/internal/seal/awskms"
	"github.com/gatehouse-project/gatehouse/internal/seal/azurekeyvault"
	"github.com/gatehouse-project/gatehouse/internal/seal/gcpkms"
	"github.com/gatehouse-project/gatehouse/internal/seal/keyspec"
	"github.com/gatehouse-project/gatehouse/internal/seal/pgcrypto"
	"github.com/gatehouse-project/gatehouse/internal/seal/vaulttransit"
)

// KeySettings names the key-encryption keys of a process, as package keyspec
// reads them.
type KeySettings struct {
	// Write is the key that credentials are written under. They are also read
	// with it.
	Write string
	// Open are further keys that credentials are read with.
	Open []string
}

// keys is a process's key-encryption keys.
type keys struct {
	// current is the one to write with; nil when the settings name none.
	current seal.KeyWrapper
	opener  *seal.Opener
	all     []seal.KeyWrapper
}

// openKeys opens the keys that the settings name. Key services are not called.
// A local key to write with whose file does not exist is made if the data plane
// has not been used with any key.
func openKeys(ctx context.Context, db *postgres.DB, settings KeySettings) (*keys, error) {
	registered, err := postgres.NewKeyring(db).Keys(ctx)
	if err != nil {
		return nil, err
	}
	k := &keys{}
	if settings.Write != "" {
		if k.current, err = openKey(ctx, db, settings.Write, len(registered) == 0); err != nil {
			return nil, fmt.Errorf("--key: %w", err)
		}
		k.all = append(k.all, k.current)
	}
	for _, text := range settings.Open {
		wrapper, err := openKey(ctx, db, text, false)
		if err != nil {
			return nil, fmt.Errorf("--open-key: %w", err)
		}
		k.all = append(k.all, wrapper)
	}
	if k.opener, err = seal.NewOpener(k.all...); err != nil {
		return nil, fmt.Errorf("--open-key: %w", err)
	}
	return k, checkLocal(k.all, registered)
}

// openKey opens one key. create lets a local key be made.
func openKey(ctx context.Context, db *postgres.DB, text string, create bool) (seal.KeyWrapper, error) {
	s, err := keyspec.Parse(text)
	if err != nil {
		return nil, err
	}
	switch s.Kind {
	case keyspec.Local:
		return seal.LoadOrCreate(s.Name, !create)
	case keyspec.PGCrypto:
		return pgcrypto.New(s.Name, postgres.NewPGCrypto(db, pgcrypto.ErrDoesNotDecrypt))
	case keyspec.AWSKMS:
		if err := s.Allow("endpoint", "profile"); err != nil {
			return nil, err
		}
		return awskms.New(ctx, awskms.Config{KeyARN: s.Name, Endpoint: s.Option("endpoint"), Profile: s.Option("profile")})
	case keyspec.Vault:
		if err := s.Allow("address", "namespace", "token_file", "ca_file"); err != nil {
			return nil, err
		}
		return vaulttransit.New(vaulttransit.Config{
			Key: s.Name, Address: s.Option("address"), Namespace: s.Option("namespace"), TokenFile: s.Option("token_file"), CAFile: s.Option("ca_file"),
		})
	case keyspec.Azure:
		if err := s.Allow("client_id"); err != nil {
			return nil, err
		}
		return azurekeyvault.New(azurekeyvault.Config{KeyURL: s.Name, ClientID: s.Option("client_id")})
	case keyspec.GCPKMS:
		if err := s.Allow("endpoint"); err != nil {
			return nil, err
		}
		return gcpkms.New(ctx, gcpkms.Config{Key: s.Name, Endpoint: s.Option("endpoint")})
	}
	return nil, fmt.Errorf("this version cannot open keys of the kind %s", s.Kind)
}

// checkLocal compares keys from files with what the database knows of them.
func checkLocal(all []seal.KeyWrapper, registered []keyring.Registered) error {
	for _, wrapper := range all {
		local, ok := wrapper.(*seal.Local)
		if !ok {
			continue
		}
		for _, r := range registered {
			if r.Key == nameOf(local) && r.CheckValue != nil {
				if err := local.Check(r.CheckValue); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// use registers the key to write with. It fails when the data plane has been
// used with a key that is not among these.
func (k *keys) use(ctx context.Context, db *postgres.DB, by audit.Actor) error {
	if k.current == nil {
		return errors.New("no key to write credentials under is named; name one with --key")
	}
	var check []byte
	if local, ok := k.current.(*seal.Local); ok {
		check = local.CheckValue()
	}
	return keyring.Use(ctx, postgres.NewKeyring(db), nameOf(k.current), check, k.opens, by)
}

// opens reports whether credentials under a key can be opened.
func (k *keys) opens(key keyring.Key) bool {
	return k.opener.Opens(seal.Key{Wrapper: key.Wrapper, ID: key.ID})
}

func nameOf(wrapper seal.KeyWrapper) keyring.Key {
	return keyring.Key{Wrapper: wrapper.Name(), ID: wrapper.KeyID()}
}
