package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// circumstances is the flag for what is known of a request that is decided.
type circumstances struct {
	Given []string `sep:"none" placeholder:"KEY=VALUE" help:"What is known of the circumstances, such as aws:SourceIp=203.0.113.7; a key alone is absent. May be repeated."`
}

// deciding is the flags of lists whose rows can be decided.
type deciding struct {
	circumstances
	Effective bool `help:"Also decide what would become of each row's request for the --action."`
}

// check refuses what is only there for decisions.
func (d deciding) check(action string) error {
	switch {
	case d.Effective && action == "":
		return usagef("--effective decides about one action: name it by --action, such as --action s3:GetObject")
	case !d.Effective && len(d.Given) > 0:
		return usagef("--given is about requests that are decided: add --effective")
	}
	return nil
}

// mostPolicyBytes is far beyond what any provider takes.
const mostPolicyBytes = 1 << 20

// readPolicy reads a policy from a file, or from standard input for "-".
func readPolicy(e *environment, name string) (text string, err error) {
	if name == "" {
		return "", nil
	}
	from := e.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", fmt.Errorf("read the policy: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		from = f
	}
	read, err := io.ReadAll(io.LimitReader(from, mostPolicyBytes+1))
	if err != nil {
		return "", fmt.Errorf("read the policy: %w", err)
	}
	if len(read) > mostPolicyBytes {
		return "", usagef("%s is longer than %d bytes, which no policy is", name, mostPolicyBytes)
	}
	if len(read) == 0 {
		return "", usagef("%s is empty; leave --session-policy out for a session without one", name)
	}
	return string(read), nil
}
