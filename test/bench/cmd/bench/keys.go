package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/internal/seal/awskms"
	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/keys"
	"github.com/gatehouse-project/gatehouse/test/kms"
)

// Figures of credentials and their keys.
const (
	sealRounds   = 5000
	sealTarget   = 50 * time.Microsecond
	rewrapped    = 100_000
	rewrapKilled = time.Second
)

// seal measures what sealing and opening cost beside the key service.
func (b *bench) seal(ctx context.Context) error {
	local, err := keys.NewLocal(filepath.Join(b.dir, "seal.key"))
	if err != nil {
		return err
	}
	s, err := keys.MeasureSealing(ctx, local, sealRounds)
	if err != nil {
		return err
	}
	b.Add(figure.Figure{
		Name: "Sealing and opening a credential, local key", Measured: s.Both.String(), Limit: s.Cipher.String() + " (AES-256-GCM alone)",
		Ratio: fmt.Sprintf("%.1f", float64(s.Both)/float64(s.Cipher)), Target: "< " + sealTarget.String(), Met: s.Both < sealTarget,
	})
	service, remote, err := b.keyService(ctx)
	if err != nil {
		return err
	}
	defer service.Close()
	const uses = 200
	if _, err := keys.MeasureSealing(ctx, remote, uses); err != nil {
		return err
	}
	encrypts, decrypts := service.Calls()
	b.Add(figure.Figure{
		Name: "Calls of the key service per sealing and per opening", Measured: fmt.Sprintf("%.3f and %.3f", float64(encrypts)/uses, float64(decrypts)/uses),
		Target: "exactly 1", Met: encrypts == uses && decrypts == uses,
	})
	return nil
}

// keyService starts the stand-in for AWS KMS, with credentials for this process
// and its children.
func (b *bench) keyService(ctx context.Context) (*kms.Server, seal.KeyWrapper, error) {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "AKIABENCH", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull} {
		if err := os.Setenv(name, value); err != nil {
			return nil, nil, fmt.Errorf("set %s: %w", name, err)
		}
	}
	service, err := kms.Start()
	if err != nil {
		return nil, nil, err
	}
	remote, err := awskms.New(ctx, awskms.Config{KeyARN: kms.KeyARN, Endpoint: service.URL})
	if err != nil {
		service.Close()
		return nil, nil, err
	}
	return service, remote, nil
}

// rewrap moves credentials from one local key to another while the process that
// does it is killed, and opens all of them behind it. A key service would be
// what is measured, not the rewrap.
func (b *bench) rewrap(ctx context.Context) error {
	return b.onPlane(ctx, func(p *dataplane.Plane) error {
		file := filepath.Join(b.dir, "rewrap.key")
		local, err := keys.NewLocal(file)
		if err != nil {
			return err
		}
		target := filepath.Join(b.dir, "rewrapped.key")
		next, err := keys.NewLocal(target)
		if err != nil {
			return err
		}
		scope := p.Caller.Scope
		estate := &keys.Estate{Super: p.Super, Tenant: int64(scope.Tenant), Workspace: int64(scope.Workspace), Credentials: rewrapped}
		if err := estate.Fill(ctx, local); err != nil {
			return err
		}
		command := func(ctx context.Context) *exec.Cmd {
			c := exec.CommandContext(ctx, b.gatehouse, "keys", "rewrap", "--key", "local:"+target, "--open-key", "local:"+file)
			c.Env = append(os.Environ(), "GATEHOUSE_DATABASE_URL="+p.DatabaseURL(postgres.RoleIntegrations))
			return c
		}
		done, err := keys.RewrapKilled(ctx, command, rewrapKilled)
		if err != nil {
			return err
		}
		unreadable, elsewhere, err := estate.Unreadable(ctx, seal.KeyOf(next), local, next)
		if err != nil {
			return err
		}
		b.Add(figure.Figure{
			Name:     fmt.Sprintf("%d credentials rewrapped, killed every %s", rewrapped, rewrapKilled),
			Measured: fmt.Sprintf("%s, %d kills, %.0f/s, %d not moved", done.Took.Round(time.Millisecond), done.Kills, rewrapped/done.Took.Seconds(), elsewhere),
			Target:   "killed, all moved", Met: done.Kills > 0 && elsewhere == 0,
		})
		b.Add(figure.Figure{Name: "Credentials unreadable after it", Measured: fmt.Sprint(unreadable), Target: "0", Met: unreadable == 0})
		return nil
	})
}
