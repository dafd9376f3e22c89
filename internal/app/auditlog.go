package app

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/keyfile"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
)

// openAuditSigner loads the key that checkpoints are signed with and checks that
// it is the one this database has seen. Only for a database that has seen none
// is one made: checkpoints under two keys would look like a forgery.
func openAuditSigner(ctx context.Context, logs *postgres.AuditLogs, tenant id.Tenant, path string) (*auditlog.Signer, error) {
	known, err := logs.SignerKey(ctx)
	if err != nil {
		return nil, err
	}
	seed, err := keyfile.Read(path, ed25519.SeedSize)
	if errors.Is(err, fs.ErrNotExist) {
		if known != "" {
			return nil, fmt.Errorf("the signing key of the audit log is missing at %s, but checkpoints were signed with it: "+
				"restore the file from a backup (mode 0400); no other key is made, because it would look like a forgery", path)
		}
		if seed, err = keyfile.Create(path, ed25519.SeedSize); errors.Is(err, fs.ErrExist) {
			// Another process made it in between; both must use the same.
			seed, err = keyfile.Read(path, ed25519.SeedSize)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("signing key of the audit log: %w", err)
	}
	defer clear(seed)
	signer, err := auditlog.NewSigner(tenant, seed)
	if err != nil {
		return nil, err
	}
	// Of two services that start at once with a key each, one finds the other's
	// here.
	if known, err = logs.SetSignerKey(ctx, signer.PublicKey()); err != nil {
		return nil, err
	}
	if known != signer.PublicKey() {
		return nil, fmt.Errorf("the signing key at %s is not the one that this database's audit log was signed with (%s): restore that key file", path, known)
	}
	return signer, nil
}

// observeSealing registers the sealer's one metric.
func observeSealing(r prometheus.Registerer) (func(time.Duration), error) {
	waiting := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "gatehouse", Subsystem: "audit", Name: "unsealed_seconds",
		Help: "How long the oldest audit event that is not sealed has waited; 0 when all are.",
	})
	if err := r.Register(waiting); err != nil {
		return nil, fmt.Errorf("register audit metrics: %w", err)
	}
	return func(d time.Duration) { waiting.Set(d.Seconds()) }, nil
}
