package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// authenticate finds the caller of operations that need credentials, and answers
// 401 where there are none.
func authenticate(a huma.API, callers workspace.CallerFinder) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if !needsCredentials(ctx.Operation()) {
			next(ctx)
			return
		}
		caller, err := callerOf(ctx, callers)
		if err != nil {
			problem := Problem(ctx.Context(), err)
			if problem.GetStatus() == http.StatusUnauthorized {
				ctx.SetHeader("WWW-Authenticate", `Bearer realm="Gatehouse"`)
			}
			// huma's own way of writing errors: nobody is left to tell when the
			// connection is gone.
			_ = huma.WriteErr(a, ctx, problem.GetStatus(), problem.Error(), details(problem)...)
			return
		}
		Accept(ctx.Context())
		c := callFrom(ctx.Context())
		c.caller = caller
		again := workspace.Credentials{Token: tokenOf(ctx), Workspace: ctx.Header(WorkspaceHeader)}
		c.again = func(ctx context.Context) (workspace.Caller, error) {
			return workspace.Authenticate(ctx, callers, again)
		}
		next(ctx)
	}
}

// CallerNow looks again who the request acts for: in an answer that takes long,
// a key may have been revoked, a session may have ended, and a role may have
// changed since it began.
func CallerNow(ctx context.Context) (workspace.Caller, error) {
	c := callFrom(ctx)
	if c.again == nil {
		return workspace.Caller{}, fault.New(fault.Unauthenticated, "the request carries no credentials")
	}
	return c.again(ctx)
}

// tokenOf returns the token of a request that has one.
func tokenOf(ctx huma.Context) string {
	token, _ := bearer(ctx.Header("Authorization"))
	return token
}

// details returns what a problem says of fields, as huma takes it.
func details(problem huma.StatusError) (found []error) {
	var p *huma.ErrorModel
	if errors.As(problem, &p) {
		for _, d := range p.Errors {
			found = append(found, d)
		}
	}
	return found
}

func needsCredentials(op *huma.Operation) bool {
	for _, requirement := range op.Security {
		if _, ok := requirement[apiKeyScheme]; ok {
			return true
		}
	}
	return false
}

func callerOf(ctx huma.Context, callers workspace.CallerFinder) (workspace.Caller, error) {
	token, err := bearer(ctx.Header("Authorization"))
	if err != nil {
		return workspace.Caller{}, err
	}
	caller, err := workspace.Authenticate(ctx.Context(), callers, workspace.Credentials{Token: token, Workspace: ctx.Header(WorkspaceHeader)})
	var outsider *workspace.OutsiderError
	if need := workspace.Capability(needOf(ctx.Operation())); errors.As(err, &outsider) && slices.Contains(workspace.Capabilities(), need) {
		// The event of the refusal names them.
		callFrom(ctx.Context()).caller = outsider.Who
		return workspace.Caller{}, outsider.Lacks(need)
	}
	if err != nil {
		return workspace.Caller{}, err
	}
	if caller.Member == 0 && needOf(ctx.Operation()) != anyCredentials {
		return workspace.Caller{}, fault.InvalidField("header."+WorkspaceHeader,
			"name the workspace to work in, such as w_123, or %q; GET /v1/session lists yours", workspace.TenantName)
	}
	return caller, nil
}

// bearer returns the token of an Authorization header.
func bearer(header string) (string, error) {
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(token) == "" {
		return "", fault.New(fault.Unauthenticated, "send an API key or a session as \"Authorization: Bearer …\"; they begin with %s and %s",
			workspace.KeyPrefix, workspace.SessionPrefix)
	}
	return strings.TrimSpace(token), nil
}

// BearerToken is the header in which operations receive a token that is not an
// API key, such as a worker's. Its type keeps it out of logs and answers.
type BearerToken struct {
	token string
}

// UnmarshalText takes the header apart. It never fails: a header without a
// token leaves the token empty.
func (b *BearerToken) UnmarshalText(text []byte) error {
	b.token, _ = bearer(string(text))
	return nil
}

// Schema describes the header.
func (BearerToken) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: "Bearer and a token."}
}

// Reveal returns the token, which is empty when none was sent.
func (b BearerToken) Reveal() string { return b.token }

// String hides the token.
func (BearerToken) String() string { return "[secret]" }
