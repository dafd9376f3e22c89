package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/form"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// maxDraftFile bounds a connection's file: 1 MiB, as the API does.
const maxDraftFile = 1 << 20

// draftFile is the flag that takes a connection from a file.
type draftFile struct {
	FromFile string `placeholder:"PATH" help:"A connection as JSON, as connections export writes it; - is standard input. Flags go before what it says."`
}

// read returns the connection in the file, or an empty one without a file.
func (f *draftFile) read(e *environment, alsoStdin bool) (d client.ConnectionDraft, err error) {
	var raw []byte
	switch f.FromFile {
	case "":
		return d, nil
	case "-":
		if alsoStdin {
			return d, usagef("--from-file and --set-file both want standard input; give one of them a file")
		}
		raw, err = io.ReadAll(io.LimitReader(e.In, maxDraftFile+1))
	default:
		raw, err = readDraft(f.FromFile)
	}
	if err != nil {
		return d, unreadable("--from-file", err)
	}
	if len(raw) > maxDraftFile {
		return d, usagef("--from-file: is larger than %d bytes", maxDraftFile)
	}
	in := json.NewDecoder(bytes.NewReader(raw))
	in.DisallowUnknownFields()
	if err := in.Decode(&d); err != nil {
		return client.ConnectionDraft{}, usagef("--from-file: %s", draftError(err))
	}
	if in.More() {
		return client.ConnectionDraft{}, usagef("--from-file: has more behind the connection; give one JSON object")
	}
	return d, nil
}

func readDraft(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxDraftFile+1))
}

// draftError says what is wrong with a file without repeating what is in it.
func draftError(err error) string {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("is not JSON, at byte %d", syntax.Offset)
	case errors.As(err, &wrong) && wrong.Field != "":
		return fmt.Sprintf("%s: must be of another type, not %s", wrong.Field, strings.Fields(wrong.Value)[0])
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return strings.TrimPrefix(err.Error(), "json: ") + "; known are integration_id, name, configuration, scope, schedule, target_id, is_default"
	}
	return "is not a connection as JSON; connections export writes one"
}

// over puts what the flags say before what the file says.
func over(file, flags map[string]json.RawMessage) map[string]json.RawMessage {
	if file == nil {
		return flags
	}
	merged := maps.Clone(file)
	maps.Copy(merged, flags)
	return merged
}

// takesStdin reports whether a field's value comes from standard input.
func (s *settings) takesStdin() bool {
	return slices.ContainsFunc(s.SetFile, func(pair string) bool { return strings.HasSuffix(pair, "=-") })
}

// checkDraft names fields that the integration does not have before anybody is
// asked for the others.
func checkDraft(integration client.Integration, d client.ConnectionDraft) error {
	for root, part := range map[string]struct {
		schema json.RawMessage
		values map[string]json.RawMessage
	}{"configuration": {integration.Configuration, d.Configuration}, "scope": {integration.Scope, d.Scope}} {
		schema, err := form.Compile(root, part.schema)
		if err != nil {
			return err
		}
		if err := schema.CheckNames(part.values); err != nil {
			return err
		}
	}
	return nil
}

// ConnectionsExportCmd is `gatehouse connections export`.
type ConnectionsExportCmd struct {
	Remote
	connectionArg
}

// Help returns examples.
func (ConnectionsExportCmd) Help() string {
	return `Writes what makes a connection, as JSON, for --from-file of connections create: in another workspace, on another server, or under version control. Secrets are not in it, nor where references lead; they are asked for, or given by flags, when a connection is created from it.

    gatehouse connections export "Prod AWS" > prod-aws.json
    gatehouse connections create --from-file prod-aws.json --set-env secret_access_key=AWS_SECRET_ACCESS_KEY`
}

// Run writes one connection.
func (cmd *ConnectionsExportCmd) Run(ctx context.Context, e *environment) error {
	_, found, err := cmd.connection(ctx, e, &cmd.Remote)
	if err != nil {
		return err
	}
	d := client.ConnectionDraft{IntegrationID: found.Value.IntegrationID, Name: found.Value.Name, Schedule: &found.Value.Schedule}
	if err := json.Unmarshal(found.Value.Config, &d.Configuration); err != nil {
		return fmt.Errorf("the server showed a configuration that is no object: %w", err)
	}
	if err := json.Unmarshal(found.Value.Scope, &d.Scope); err != nil {
		return fmt.Errorf("the server showed a scope that is no object: %w", err)
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode the connection: %w", err)
	}
	return e.printJSON(raw)
}
