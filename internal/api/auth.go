package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// authenticate finds the caller of operations that need an API key, and answers
// 401 where there is none.
func authenticate(a huma.API, keys workspace.KeyFinder) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if !needsKey(ctx.Operation()) {
			next(ctx)
			return
		}
		caller, err := callerOf(ctx, keys)
		if err != nil {
			problem := Problem(ctx.Context(), err)
			if problem.GetStatus() == http.StatusUnauthorized {
				ctx.SetHeader("WWW-Authenticate", `Bearer realm="Gatehouse"`)
			}
			// huma's own way of writing errors: nobody is left to tell when the
			// connection is gone.
			_ = huma.WriteErr(a, ctx, problem.GetStatus(), problem.Error())
			return
		}
		callFrom(ctx.Context()).caller = caller
		next(ctx)
	}
}

func needsKey(op *huma.Operation) bool {
	for _, requirement := range op.Security {
		if _, ok := requirement[apiKeyScheme]; ok {
			return true
		}
	}
	return false
}

func callerOf(ctx huma.Context, keys workspace.KeyFinder) (workspace.Caller, error) {
	key, err := bearer(ctx.Header("Authorization"))
	if err != nil {
		return workspace.Caller{}, err
	}
	return workspace.Authenticate(ctx.Context(), keys, key)
}

// bearer returns the token of an Authorization header.
func bearer(header string) (string, error) {
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(token) == "" {
		return "", fault.New(fault.Unauthenticated, "send an API key as \"Authorization: Bearer %s…\"", workspace.KeyPrefix)
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
