package conformance

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A judge that finds nothing wrong with a wrong answer holds nobody to anything.
func TestJudgeFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	a, b := &actor{name: "Ada", document: d, key: "gk_1_adas", viewer: "gk_1_viewers", pool: newPool()}, &actor{name: "Ben", pool: newPool()}
	a.estate.Auditor.SecretAccessKey = "the auditor's"
	a.other, b.other = b, a
	a.pool.learn("", node{"member_id": "mem_1"})
	b.pool.learn("", node{"member_id": "mem_2"})

	const good = `{"member_id":"mem_1","name":"n","role":"viewer","hint":"gk_1_abcd","made_by":null,"created_at":"2026-01-02T03:04:05Z","expires_at":null,"last_used_at":null,"revoked_at":null,"key":"gk_1_x"}`
	const refusal = `{"title":"Forbidden","status":403,"detail":"no","instance":"urn:gatehouse:request:12345678"}`
	type made struct {
		status int
		media  string
		header [2]string
		text   string
	}
	created := func(text string) made { return made{status: 201, text: text} }
	refused := func(text string) made { return made{status: 403, media: "application/problem+json", text: text} }
	for _, test := range []struct {
		name, want string
		body       any
		got        made
	}{
		{"as documented", "", nil, created(good)},
		{"refused as documented", "", nil, refused(refusal)},
		{"failure", "failed", nil, made{status: 500, text: refusal}},
		{"unavailable", "failed", nil, made{status: 503, text: refusal}},
		{"no request id", "no X-Request-Id", nil, made{status: 201, text: good, header: [2]string{"X-Request-Id", ""}}},
		{"no security header", "no X-Content-Type-Options", nil, made{status: 201, text: good, header: [2]string{"X-Content-Type-Options", ""}}},
		{"undocumented status", "no answer 202", nil, made{status: 202, text: good}},
		{"undocumented type", "no answer of type text/html", nil, made{status: 201, media: "text/html", text: good}},
		{"undocumented property", "additional properties 'colour'", nil, created(strings.Replace(good, "{", `{"colour":"red",`, 1))},
		{"missing property", "missing property 'role'", nil, created(strings.Replace(good, `"role":"viewer",`, "", 1))},
		{"wrong type", "got number, want string", nil, created(strings.Replace(good, `"n"`, "7", 1))},
		{"wrong format", "not valid date-time", nil, created(strings.Replace(good, "2026-01-02T03:04:05Z", "yesterday", 1))},
		{"half a body", "no JSON", nil, created(good[:40])},
		{"secret", "holds a secret", nil, created(strings.Replace(good, `"n"`, `"`+secretMark+`x"`, 1))},
		{"provider's secret", "holds a secret", nil, created(strings.Replace(good, `"n"`, `"the auditor's"`, 1))},
		{"secret in a header", "holds a secret", nil, made{status: 201, text: good, header: [2]string{"X-Debug", "Bearer gk_1_viewers"}}},
		{"another's id", "names mem_2 of another workspace", nil, created(strings.Replace(good, "mem_1", "mem_2", 1))},
		{"another's name", "a thing of another workspace", nil, created(strings.Replace(good, `"n"`, `"Ben's number 3"`, 1))},
		{"accepted misfit", "accepted, although the body does not fit", node{"name": 7, "role": "viewer"}, created(good)},
		{"problem of another type", "type application/json", nil, made{status: 403, text: refusal}},
		{"problem without a reason", "no detail", nil, refused(strings.Replace(refusal, `"no"`, `""`, 1))},
		{"problem with another status", "another status", nil, refused(strings.Replace(refusal, "403", "404", 1))},
		{"problem of another request", "another request", nil, refused(strings.Replace(refusal, "12345678", "87654321", 1))},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := &request{op: d.operation(t, "create-api-key"), method: http.MethodPost, body: node{"name": "n", "role": "viewer"}}
			if test.body != nil {
				r.body = test.body
			}
			header := http.Header{"X-Request-Id": {"12345678"}, "X-Content-Type-Options": {"nosniff"}, "Cache-Control": {"no-store"}, "Content-Type": {"application/json"}}
			if test.got.media != "" {
				header.Set("Content-Type", test.got.media)
			}
			if test.got.header[0] != "" {
				header.Set(test.got.header[0], test.got.header[1])
			}
			wrong := a.judge(r, &answer{status: test.got.status, header: header, text: []byte(test.got.text), body: decoded([]byte(test.got.text))})
			if test.want == "" {
				require.Empty(t, wrong)
				return
			}
			require.Contains(t, wrong, test.want)
		})
	}
}
