package conformance

import (
	"encoding/hex"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// secretMark begins every secret that is sent. No answer ever holds it.
const secretMark = "conformance/secret+"

// knownValues are what a schema cannot say of some properties and parameters,
// by name.
type knownValues struct {
	drawn map[string]func(t *rapid.T) any
	// needed are properties that are always there, although the schema lets
	// them be left out.
	needed []string
}

func (k knownValues) always(name string) bool { return slices.Contains(k.needed, name) }

func (k knownValues) draw(t *rapid.T, name string) (any, bool) {
	from, ok := k.drawn[name]
	if !ok {
		return nil, false
	}
	return from(t), true
}

// forParameters are the values of parameters in path, query and header.
func forParameters(workspace string) knownValues {
	return knownValues{drawn: map[string]func(*rapid.T) any{
		"Gatehouse-Workspace": func(t *rapid.T) any {
			return rapid.SampledFrom([]string{workspace, workspace, workspace, "tenant", "w_999999999999", "Default"}).Draw(t, "workspace")
		},
		"throttle_scope": func(t *rapid.T) any { return rapid.SampledFrom(throttleScopes()).Draw(t, "throttle_scope") },
		// Nothing is waited for longer than the whole of the other requests take.
		"wait": func(t *rapid.T) any { return rapid.SampledFrom([]string{"0s", "1ms", "20ms"}).Draw(t, "wait") },
		// Most changes are made whatever the version.
		"If-Match": func(t *rapid.T) any {
			return rapid.SampledFrom([]string{"*", `"1"`, `"2"`, `W/"1"`}).Draw(t, "If-Match")
		},
	}}
}

// forBodies are the values of properties. The provider is the simulated
// organisation, or one that answers with what it was asked.
func forBodies(actor string, s estate.Summary) knownValues {
	names := 0
	secrets := func(real string) func(t *rapid.T) any {
		return func(t *rapid.T) any {
			if real != "" && rapid.Bool().Draw(t, "the real secret") {
				return real
			}
			return secretMark + hex.EncodeToString([]byte(rapid.StringMatching(`[a-z]{8}`).Draw(t, "secret")))
		}
	}
	address := func(t *rapid.T) any {
		return rapid.StringMatching(`[a-z]{3,8}`).Draw(t, "address") + "@contoso.example"
	}
	one := func(values ...any) func(*rapid.T) any {
		return func(t *rapid.T) any { return rapid.SampledFrom(values).Draw(t, "known value") }
	}
	return knownValues{
		needed: []string{"endpoint_url", "access_key_id", "secret_access_key", "role_arn", "connection_id"},
		drawn: map[string]func(*rapid.T) any{
			// Names are unique in a workspace, so most are new; some are taken.
			"name": func(t *rapid.T) any {
				if often(t, "a new name") {
					names++
				}
				return fmt.Sprintf("%s's number %d", actor, names)
			},
			// What reaches a provider.
			"endpoint_url":           one("{simulator}", "{simulator}", "{simulator}", "{parrot}"),
			"auth_mode":              one("access_key", "access_key", "assume_role"), // ambient asks the machine
			"access_key_id":          one(s.Auditor.AccessKeyID),
			"secret_access_key":      secrets(s.Auditor.SecretAccessKey),
			"session_token":          secrets(""),
			"role_arn":               one(s.AuditRoleARN),
			"region":                 one(s.Region, "us-east-1"),
			"identity_center_region": one(s.Region),
			"external_id":            one(s.ExternalID),
			"member_role_name":       one(s.AuditRole),
			"partition":              one("aws"),
			"aws_accounts":           one([]any{s.ManagementID}, []any{s.AccountIDs[0]}, []any{"999999999999"}),
			// What has to lie ahead, or to exist.
			"expires_at": func(t *rapid.T) any {
				return time.Unix(rapid.Int64Range(2e9, 4e9).Draw(t, "expires_at"), 0).UTC().Format(time.RFC3339)
			},
			"email":       address,
			"owner_email": address,
			// Nobody listens there, so that nothing leaves this machine.
			"url":         one("https://127.0.0.1:1/in", "https://127.0.0.1:1/other"),
			"event_types": one([]any{"run.completed"}, []any{"connection.created", "connection.tested"}),
			"timezone":    one("UTC", "Europe/Paris", "Asia/Kolkata"),
		},
	}
}

// entityKinds are what entities some parameters name.
func entityKinds() map[string]string {
	return map[string]string{"resource_id": "Resource", "to": "Resource", "principal_id": "Principal", "from": "Account"}
}

// withProviders puts the providers' addresses, which differ from run to run, where
// they were drawn.
func (a *actor) withProviders(text []byte) []byte {
	return []byte(strings.NewReplacer("{simulator}", a.simulator, "{parrot}", a.parrot).Replace(string(text)))
}

// newParrot serves a provider that refuses everything in words which hold all
// that it was sent, also what signs and authenticates the request.
func newParrot(t *testing.T) *httptest.Server {
	parrot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said, err := httputil.DumpRequest(r, true)
		if err != nil {
			said = []byte(err.Error())
		}
		w.Header().Set("X-Amzn-Errortype", "AccessDenied")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>%s</Message></Error></ErrorResponse>", html.EscapeString(string(said)))
	}))
	t.Cleanup(parrot.Close)
	return parrot
}
