package pgserver

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is the operating-system account that runs the server. PostgreSQL
// refuses to run as root, so root hands it to another one.
type account struct {
	// switched is false when the server runs as the caller itself.
	switched bool
	uid, gid int
}

// unprivilegedNames are tried in order. Packages of the server make the first;
// the second exists everywhere.
func unprivilegedNames() []string { return []string{"postgres", "nobody"} }

// serverAccount decides who runs the server. A cluster that exists already
// belongs to somebody, and only its owner can open it.
func serverAccount(cluster string) (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	info, err := os.Stat(cluster)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return unprivilegedAccount()
	case err != nil:
		return account{}, fmt.Errorf("look at the cluster: %w", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 {
		return account{}, fmt.Errorf("the cluster %s belongs to root, which PostgreSQL refuses: give it to another account with chown -R", cluster)
	}
	return account{switched: true, uid: int(stat.Uid), gid: int(stat.Gid)}, nil
}

func unprivilegedAccount() (account, error) {
	for _, name := range unprivilegedNames() {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(found.Uid)
		if err != nil {
			return account{}, fmt.Errorf("account %s: %w", name, err)
		}
		gid, err := strconv.Atoi(found.Gid)
		if err != nil {
			return account{}, fmt.Errorf("account %s: %w", name, err)
		}
		return account{switched: true, uid: uid, gid: gid}, nil
	}
	return account{}, fmt.Errorf("PostgreSQL refuses to run as root and none of the accounts %q exists: "+
		"run Gatehouse as an ordinary user, or make one with `useradd --system postgres`", unprivilegedNames())
}

// credential is what a child process switches to, nil for the caller's own.
func (a account) credential() *syscall.Credential {
	if !a.switched {
		return nil
	}
	return &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
}

// own gives a file or directory to the account.
func (a account) own(path string) error {
	if !a.switched {
		return nil
	}
	if err := os.Lchown(path, a.uid, a.gid); err != nil {
		return fmt.Errorf("give %s to the database's account: %w", path, err)
	}
	return nil
}
