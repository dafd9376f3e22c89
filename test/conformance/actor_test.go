package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// actor is an administrator of one of two workspaces.
type actor struct {
	name        string
	url         string
	key, viewer string
	workspace   string
	// connection is to an organisation of the actor's own, which has been read.
	connection string
	document   *document
	// integrations are the catalog's entries, with their own schemas.
	integrations map[string]map[string]node
	// simulator and parrot are the addresses of providers.
	simulator, parrot string
	estate            estate.Summary
	bodies            knownValues
	pool              *pool
	// spared are ids that are not changed, or not by the method of that name.
	spared map[string]string
	// other works in another workspace; shared are ids that both may see.
	other  *actor
	shared map[string]bool
	client *http.Client
}

// people is the size of the organisations, as small as makes every kind of thing.
const people = 4

// newActor connects a provider, reads it, and learns what there is.
func newActor(t *testing.T, d *document, name, url, key string, seed int64) *actor {
	t.Helper()
	s, err := simulator.New(simulator.Options{People: people, Seed: seed})
	require.NoError(t, err)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	a := &actor{
		name: name, url: url, key: key, document: d, simulator: server.URL, parrot: newParrot(t).URL, estate: s.Summary(), pool: newPool(),
		spared: map[string]string{}, shared: map[string]bool{}, integrations: map[string]map[string]node{},
		// Redirects are answers, too.
		client: &http.Client{
			Timeout: patience, Transport: &http.Transport{DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	t.Cleanup(a.client.CloseIdleConnections)
	a.bodies = forBodies(name, a.estate)
	a.key = a.issue(t, "admin")
	a.viewer = a.issue(t, "viewer")
	for _, entry := range list(object(a.must(t, "list-integrations", nil, nil))["integrations"]) {
		entry := object(entry)
		a.integrations[fmt.Sprint(entry["integration_id"])] = map[string]node{"configuration": object(entry["configuration"]), "scope": object(entry["scope"])}
	}
	conn := fmt.Sprint(object(a.must(t, "create-connection", nil, node{
		"integration_id": "aws", "name": name + "'s number 0", "configuration": node{
			"access_key_id": a.estate.Auditor.AccessKeyID, "secret_access_key": a.estate.Auditor.SecretAccessKey, "region": a.estate.Region,
			"endpoint_url": a.simulator, "organizations_enabled": true, "identity_center_enabled": true, "member_role_name": a.estate.AuditRole, "external_id": a.estate.ExternalID,
		},
	}))["connection_id"])
	a.spared[conn] = http.MethodDelete
	a.connection = conn
	a.await(t, object(a.must(t, "start-operation", map[string]string{"operation": "discovery.run"}, node{"connection_id": conn})))
	a.must(t, "list-entities", nil, nil, pair{"limit", "200"})
	// Keys end with the member who issued them.
	for _, each := range list(object(a.must(t, "list-members", nil, nil))["members"]) {
		a.spared[fmt.Sprint(object(each)["member_id"])] = ""
	}
	for _, each := range list(object(a.must(t, "list-workspaces", nil, nil))["workspaces"]) {
		a.workspace = fmt.Sprint(object(each)["workspace_id"])
		a.spared[a.workspace] = ""
	}
	return a
}

// issue makes an API key and keeps its holder from being removed.
func (a *actor) issue(t *testing.T, role string) string {
	t.Helper()
	made := object(a.must(t, "create-api-key", nil, node{"name": a.name + "'s number 0, " + role, "role": role}))
	a.spared[fmt.Sprint(made["member_id"])] = ""
	return fmt.Sprint(made["key"])
}

// must makes a request that has to succeed and returns the answer's body.
func (a *actor) must(t *testing.T, id string, path map[string]string, body any, query ...pair) any {
	t.Helper()
	r := &request{op: a.document.operation(t, id), path: path, body: body, query: query, key: a.key}
	r.method, r.media = r.op.method, r.op.media
	got, err := a.send(t.Context(), r)
	require.NoError(t, err)
	require.Less(t, got.status, 300, "%s\n%s", r.shown(), got.text)
	require.Empty(t, fits(r.op, r.method, got), "%s\n%s", r.shown(), got.text)
	return got.body
}

// counted makes a request that has to succeed and counts it.
func (a *actor) counted(t *testing.T, c *count, id string, path map[string]string, body any) node {
	t.Helper()
	answered := object(a.must(t, id, path, body))
	c.succeeded[id]++
	return answered
}

// patience bounds what is waited for; a connection's test is the longest.
const patience = 3 * time.Minute

// send sends a request and learns from the answer.
func (a *actor) send(ctx context.Context, r *request) (*answer, error) {
	got, err := a.exchange(ctx, r)
	if err != nil {
		return nil, err
	}
	if got.status < http.StatusMultipleChoices && r.key == a.key {
		a.pool.learn(r.op.id, got.body)
		if r.method == http.MethodDelete {
			for _, id := range r.path {
				a.pool.forget(id)
			}
		}
	}
	return got, nil
}

// exchange sends a request as it stands.
func (a *actor) exchange(ctx context.Context, r *request) (*answer, error) {
	text, err := r.text()
	if err != nil {
		return nil, fmt.Errorf("encode the body: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, a.url, bytes.NewReader(a.withProviders(text)))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	if r.body == nil && r.raw == nil {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	// Opaque goes out as it is, also what is no URL.
	req.URL = &url.URL{Scheme: "http", Host: req.URL.Host, Opaque: "//" + req.URL.Host + r.address()}
	if r.key != "" {
		req.Header.Set("Authorization", "Bearer "+r.key)
	}
	if r.media != "" {
		req.Header.Set("Content-Type", r.media)
	}
	for _, h := range r.header {
		req.Header.Add(h.name, h.value)
	}
	res, err := a.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no answer: %w", err)
	}
	defer res.Body.Close()
	got := &answer{status: res.StatusCode, header: res.Header}
	if got.text, err = io.ReadAll(res.Body); err != nil {
		return nil, fmt.Errorf("half an answer: %w", err)
	}
	if json.Valid(got.text) {
		got.body = decoded(got.text)
	}
	return got, nil
}
