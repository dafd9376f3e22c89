package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Config says what the operations of one listener share.
type Config struct {
	// Version of the product, shown in the OpenAPI document.
	Version string
	// Callers finds who a request acts for.
	Callers workspace.CallerFinder
	// Denials records attempts of members that were refused. Nil records none.
	Denials *Denials
	// Log receives internal errors. Required.
	Log *slog.Logger
}

// The names of the security schemes in the OpenAPI document.
const (
	apiKeyScheme  = "apiKey"
	sessionScheme = "session"
)

// New returns the API on which packages api/<noun> mount their operations. It
// serves /openapi.json, /openapi.yaml and, without any other host, /docs.
func New(mux *http.ServeMux, c Config) huma.API {
	hc := huma.DefaultConfig("Gatehouse", c.Version)
	hc.Info.Description = "Connects identity, cloud and SaaS systems, discovers access in isolated workers, " +
		"and answers who can reach what. Every request carries an API key or a session as `Authorization: Bearer …`. " +
		"A key decides workspace and role; a session is of a person, who names the workspace by the header " +
		"`Gatehouse-Workspace`. What an operation needs is its `x-capability`. Errors are RFC 9457 problems. " +
		"Lists take `limit` and `cursor` and answer `next_cursor` while there is more."
	hc.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	hc.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		apiKeyScheme:  {Type: "http", Scheme: "bearer", BearerFormat: "gk_<workspace>_<secret>", Description: "An API key of a workspace, or of the tenant level."},
		sessionScheme: {Type: "http", Scheme: "bearer", BearerFormat: "gs_<secret>", Description: "The session of a person who signed in."},
	}
	// The built-in docs page loads its scripts from elsewhere, and the link
	// transformer rebuilds every answer to add a field nobody asked for.
	hc.DocsPath, hc.SchemasPath, hc.CreateHooks = "", "", nil
	hc.Transformers = []huma.Transformer{redactProblem}
	hc.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	describeIDs(hc.Components.Schemas)
	documentProblem(hc.Components.Schemas)
	strictNames()
	a := humago.New(mux, hc)
	a.UseMiddleware(begin(c), guardBody, authenticate(a, c.Callers))
	mountDocs(mux, hc.OpenAPIPath+".json")
	return a
}

// NoKey marks an operation that takes neither API key nor session; it is for
// [huma.Operation.Security].
func NoKey() []map[string][]string { return []map[string][]string{} }

// Register adds an operation whose handler returns domain errors; one wrapped by
// [huma.ErrorWithHeaders] gives the answer those headers. Unless its Security says
// otherwise, the operation needs credentials, and says by [Needs] which capability.
func Register[I, O any](a huma.API, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	if op.Security == nil {
		op.Security = []map[string][]string{{apiKeyScheme: {}}, {sessionScheme: {}}}
		op.Parameters = append(op.Parameters, documentWorkspace())
		op.Errors = append(op.Errors, refusals(&op)...)
		// A misspelt filter that is ignored widens the answer unnoticed. Probes
		// and workers, which need no key, may send what they like.
		op.RejectUnknownQueryParameters = true
	}
	op.Errors = append(op.Errors, http.StatusRequestURITooLong, http.StatusTooManyRequests, http.StatusServiceUnavailable)
	if takesBody(reflect.TypeFor[I]()) {
		op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	huma.Register(a, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		var headed huma.HeadersError
		if errors.As(err, &headed) {
			return nil, huma.ErrorWithHeaders(Problem(ctx, err), headed.GetHeaders())
		}
		if err != nil {
			return nil, Problem(ctx, err)
		}
		return out, nil
	})
}

// takesBody reports whether huma reads a body into the operation's input.
func takesBody(input reflect.Type) bool {
	_, decoded := input.FieldByName("Body")
	_, raw := input.FieldByName("RawBody")
	return decoded || raw
}
