package main

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/app"
	"github.com/gatehouse-project/gatehouse/internal/cli"
)

func keySettings(o cli.KeyOptions) app.KeySettings {
	return app.KeySettings{Write: o.Key, Open: o.OpenKeys}
}

// keyServices joins `gatehouse keys` to what it runs.
func keyServices() cli.KeyServices {
	return cli.KeyServices{List: listKeys, Check: checkKeys, Rewrap: rewrapKeys, Retire: retireKey, Create: app.CreateKey, Local: app.LocalPlane}
}

func listKeys(ctx context.Context, databaseURL string, o cli.KeyOptions) ([]cli.KeyInUse, error) {
	standings, err := app.ListKeys(ctx, app.KeysConfig{DatabaseURL: databaseURL, Keys: keySettings(o)})
	list := make([]cli.KeyInUse, len(standings))
	for i, s := range standings {
		list[i] = cli.KeyInUse{Kind: s.Wrapper, ID: s.ID, Credentials: s.Credentials, State: string(s.State())}
		if !s.Since.IsZero() {
			list[i].Since = &s.Since
		}
	}
	return list, err
}

func checkKeys(ctx context.Context, databaseURL string, o cli.KeyOptions) ([]cli.KeyCheck, error) {
	checked, err := app.CheckKeys(ctx, app.KeysConfig{DatabaseURL: databaseURL, Keys: keySettings(o)})
	list := make([]cli.KeyCheck, len(checked))
	for i, c := range checked {
		list[i] = cli.KeyCheck{Kind: c.Wrapper, ID: c.ID, Current: c.Current}
		if c.Err != nil {
			list[i].Problem = c.Err.Error()
		}
	}
	return list, err
}

func rewrapKeys(ctx context.Context, databaseURL string, o cli.KeyOptions, progress func(done, all int64)) (cli.RewrapResult, error) {
	r, err := app.RewrapKeys(ctx, app.KeysConfig{DatabaseURL: databaseURL, Keys: keySettings(o)}, progress)
	result := cli.RewrapResult{Moved: r.Moved, Unreadable: r.Unreadable, Left: r.Left, NewKey: r.New}
	for _, f := range r.Examples {
		result.Failures = append(result.Failures, cli.RewrapFailure{
			Workspace: f.Workspace.String(), Connection: f.Connection.String(), Reason: f.Reason.Error(),
		})
	}
	return result, err
}

func retireKey(ctx context.Context, databaseURL, kind, id string) error {
	return app.RetireKey(ctx, databaseURL, kind, id)
}
