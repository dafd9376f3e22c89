package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// PGCrypto is the functions of the extension pgcrypto. Plaintext and passphrase
// travel as parameters; a server that logs parameters logs them.
type PGCrypto struct {
	db *DB
	// notDecrypted is in the chain of Decrypt's error when the message was
	// altered or the passphrase is another one.
	notDecrypted error
}

// NewPGCrypto returns the functions on a pool. notDecrypted is what the caller
// knows a message by that does not decrypt.
func NewPGCrypto(db *DB, notDecrypted error) *PGCrypto {
	return &PGCrypto{db: db, notDecrypted: notDecrypted}
}

// Encrypt encrypts by OpenPGP's symmetric encryption with AES-256. What is
// encrypted is random, so it is not compressed.
func (p *PGCrypto) Encrypt(ctx context.Context, plaintext []byte, passphrase secret.Secret) (message []byte, err error) {
	err = plain{p.db}.QueryRow(ctx, "select pgp_sym_encrypt_bytea($1, $2, 'cipher-algo=aes256, compress-algo=0')", plaintext, passphrase.RevealString()).Scan(&message)
	if err != nil {
		return nil, translate(fmt.Errorf("encrypt with pgcrypto: %w", err))
	}
	return message, nil
}

// Decrypt reverses Encrypt.
func (p *PGCrypto) Decrypt(ctx context.Context, message []byte, passphrase secret.Secret) (plaintext []byte, err error) {
	err = plain{p.db}.QueryRow(ctx, "select pgp_sym_decrypt_bytea($1, $2)", message, passphrase.RevealString()).Scan(&plaintext)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == codeExternalRoutineArgument {
		return nil, fmt.Errorf("decrypt with pgcrypto: %w", p.notDecrypted)
	}
	if err != nil {
		return nil, translate(fmt.Errorf("decrypt with pgcrypto: %w", err))
	}
	return plaintext, nil
}

// codeExternalRoutineArgument is how pgcrypto reports every message that it
// cannot decrypt.
const codeExternalRoutineArgument = "39000"
