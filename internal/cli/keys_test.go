package cli_test

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/cli"
	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// recordingKeys answers as a data plane with an old and a new key would. A
// database URL that ends in "broken" stands for one where not all is well.
func recordingKeys() cli.KeyServices {
	since := time.Date(2026, 2, 6, 10, 12, 0, 0, time.UTC)
	return cli.KeyServices{
		List: func(_ context.Context, _ string, o cli.KeyOptions) ([]cli.KeyInUse, error) {
			list := []cli.KeyInUse{{Kind: "local", ID: "local:1", Credentials: 7, Since: &since, State: "missing"}}
			if o.Key != "" {
				list = append(list, cli.KeyInUse{Kind: "awskms", ID: strings.TrimPrefix(o.Key, "awskms:"), State: "current"})
			}
			return list, nil
		},
		Check: func(_ context.Context, url string, o cli.KeyOptions) ([]cli.KeyCheck, error) {
			list := []cli.KeyCheck{{Kind: "local", ID: o.Key, Current: true}}
			if strings.HasSuffix(url, "broken") {
				list = append(list, cli.KeyCheck{Kind: "awskms", ID: "arn", Problem: "access denied"})
			}
			return list, nil
		},
		Rewrap: func(_ context.Context, url string, _ cli.KeyOptions, progress func(done, all int64)) (cli.RewrapResult, error) {
			for done := range int64(11) {
				progress(done*10, 100)
			}
			switch {
			case strings.HasSuffix(url, "down"):
				return cli.RewrapResult{Moved: 40}, errors.New("the key service does not answer")
			case strings.HasSuffix(url, "broken"):
				return cli.RewrapResult{Moved: 98, Unreadable: 1, Left: 2, Failures: []cli.RewrapFailure{
					{Workspace: "w_1", Connection: "conn_9", Reason: "credential does not open"},
				}}, nil
			}
			return cli.RewrapResult{Moved: 100, NewKey: true}, nil
		},
		Retire: func(context.Context, string, string, string) error { return nil },
		Create: func(string) (string, error) { return "local:2", nil },
		Local: func(dataDir string) (string, string, error) {
			if strings.HasSuffix(dataDir, "gone") {
				return "", "", fault.New(fault.Unavailable, "no gatehouse dev runs in %s", dataDir)
			}
			return "postgres://local", "local:" + dataDir + "/local.key", nil
		},
	}
}
