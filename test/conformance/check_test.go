package conformance

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// answer is one answer, whole.
type answer struct {
	status int
	header http.Header
	text   []byte
	// body is the text as JSON, nil where it is none.
	body any
}

// judge says what is wrong with an answer, "" if nothing is.
func (a *actor) judge(r *request, got *answer) string {
	for _, judge := range []func(*request, *answer) string{
		judgeEveryAnswer, a.judgeSecrets, a.judgeOthers, a.judgeDocumented, judgeRefusal, judgeProblem,
	} {
		if wrong := judge(r, got); wrong != "" {
			return wrong
		}
	}
	return ""
}

// judgeEveryAnswer holds for whatever was asked.
func judgeEveryAnswer(_ *request, got *answer) string {
	if got.status >= http.StatusInternalServerError {
		return "the service failed"
	}
	if got.header.Get("X-Request-Id") == "" {
		return "the answer has no X-Request-Id"
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
		if got.header.Get(name) != want {
			return "the answer has no " + name
		}
	}
	return ""
}

// judgeSecrets looks for what must never come back.
func (a *actor) judgeSecrets(_ *request, got *answer) string {
	for _, secret := range []string{secretMark, a.estate.Auditor.SecretAccessKey, a.key, a.viewer} {
		if bytes.Contains(got.text, []byte(secret)) || strings.Contains(fmt.Sprint(got.header), secret) {
			return "the answer holds a secret"
		}
	}
	return ""
}

// judgeOthers looks for what is another workspace's. What the request itself
// named may be named in its refusal.
func (a *actor) judgeOthers(r *request, got *answer) string {
	asked := r.address()
	if text, err := r.text(); err == nil {
		asked += string(text)
	}
	for _, id := range anyID.FindAllString(string(got.text), -1) {
		if a.other.pool.seen[id] && !a.pool.seen[id] && !a.shared[id] && !isUnknown(id) && !strings.Contains(asked, id) {
			return "the answer names " + id + " of another workspace"
		}
	}
	if bytes.Contains(got.text, []byte(a.other.name+"'s number")) {
		return "the answer names a thing of another workspace"
	}
	return ""
}

// judgeDocumented compares with the document: status, type, headers, body.
func (a *actor) judgeDocumented(r *request, got *answer) string {
	if r.target != "" && !slices.Contains(r.spoilt, "a query that is none") {
		return judgeElsewhere(got)
	}
	methods := a.document.methods(r.op.path)
	if !slices.Contains(methods, r.method) {
		if got.status != http.StatusRequestURITooLong && (got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") == "") {
			return "another method is not refused with what the path takes"
		}
		return ""
	}
	op := r.op
	if r.method != op.method && r.method != http.MethodHead {
		op = a.document.at(op.path, r.method)
	} else if r.method == http.MethodHead {
		op = a.document.at(op.path, http.MethodGet)
	}
	return fits(op, r.method, got)
}

// occasional are documented headers that not every answer has, each with when it
// does.
func occasional() map[string]string {
	return map[string]string{"Idempotency-Replayed": "when the request had been answered before"}
}

// fits compares an answer with what the document says of the operation.
func fits(op *operation, method string, got *answer) string {
	documented, ok := op.responses[got.status]
	if !ok {
		return fmt.Sprintf("the document has no answer %d", got.status)
	}
	for _, name := range documented.headers {
		if got.header.Get(name) == "" && occasional()[name] == "" {
			return "the answer lacks the documented header " + name
		}
	}
	if len(got.text) == 0 && (len(documented.content) == 0 || method == http.MethodHead) {
		return ""
	}
	media, _, err := mime.ParseMediaType(got.header.Get("Content-Type"))
	if err != nil {
		return "the answer has no content type: " + err.Error()
	}
	schema, ok := documented.content[media]
	if !ok {
		return "the document has no answer of type " + media
	}
	if media == lines {
		for line := range bytes.Lines(got.text) {
			if decoded(line) == nil {
				return "a line of the answer is no JSON"
			}
		}
	}
	if schema == nil {
		return ""
	}
	if got.body == nil {
		return "the answer is no JSON"
	}
	if err := schema.Validate(got.body); err != nil {
		return "the answer does not fit its schema: " + err.Error()
	}
	return ""
}

// judgeElsewhere is for paths that no operation has, or has in another spelling.
func judgeElsewhere(got *answer) string {
	if got.status >= http.StatusMultipleChoices && got.status < http.StatusBadRequest {
		if got.header.Get("Location") == "" {
			return "the answer leads nowhere"
		}
		return ""
	}
	return ""
}

// judgeRefusal requires that what does not fit the document is refused.
func judgeRefusal(r *request, got *answer) string {
	if r.status != 0 && r.method == r.op.method && r.target == "" && got.status != r.status {
		return fmt.Sprintf("the answer should be %d", r.status)
	}
	if r.method != r.op.method || r.target != "" {
		return ""
	}
	if why := r.misfit(); why != "" && got.status < http.StatusBadRequest {
		return "accepted, although " + why
	}
	return ""
}

// judgeProblem requires of every refusal the form that RFC 9457 gives it.
func judgeProblem(r *request, got *answer) string {
	if got.status < http.StatusBadRequest || r.method == http.MethodHead {
		return ""
	}
	if media, _, _ := mime.ParseMediaType(got.header.Get("Content-Type")); media != "application/problem+json" {
		return "the refusal is of type " + media
	}
	problem := object(got.body)
	for _, member := range []string{"title", "detail", "instance"} {
		if text, _ := problem[member].(string); text == "" {
			return "the problem has no " + member
		}
	}
	if fmt.Sprint(problem["status"]) != fmt.Sprint(got.status) {
		return "the problem has another status"
	}
	if problem["instance"] != "urn:gatehouse:request:"+got.header.Get("X-Request-Id") {
		return "the problem names another request"
	}
	return ""
}

// at finds the operation of a path and method.
func (d *document) at(path, method string) *operation {
	i := slices.IndexFunc(d.operations, func(op *operation) bool { return op.path == path && op.method == method })
	return d.operations[i]
}

// decoded reads JSON; what is none is nil.
func decoded(text []byte) any {
	body, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil
	}
	return body
}
