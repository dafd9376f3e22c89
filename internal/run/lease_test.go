package run_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

func TestSafeMessageNamesThePermissionOnce(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]connector.Error{
		"cannot list: missing iam:ListUsers on account 1": {Message: "cannot list", Permission: "iam:ListUsers", On: "account 1"},
		"missing iam:ListUsers on account 1":              {Message: "missing iam:ListUsers", Permission: "iam:ListUsers", On: "account 1"},
		"account 1 lacks iam:ListUsers":                   {Message: "account 1 lacks iam:ListUsers", Permission: "iam:ListUsers", On: "account 1"},
		"cannot list: missing iam:ListUsers":              {Message: "cannot list", Permission: "iam:ListUsers"},
		"cannot list":                                     {Message: "cannot list", On: "account 1"},
	} {
		require.Equal(t, want, run.SafeMessage(&e))
	}
}
