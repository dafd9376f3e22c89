package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Problem is a server's refusal, an RFC 9457 problem.
type Problem struct {
	// Status is the HTTP status, 400 to 599.
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	// Instance names the request in the server's log.
	Instance string         `json:"instance"`
	Errors   []ProblemField `json:"errors"`
	// RetryAfter is the header of that name, in seconds; empty when there is none.
	RetryAfter string `json:"-"`
}

// ProblemField is one thing wrong with a request.
type ProblemField struct {
	// Location is where in the request, such as "body.configuration.region".
	Location string `json:"location"`
	Message  string `json:"message"`
}

// Field returns the location as a user of the API names it, without the part of
// the request it is in.
func (f ProblemField) Field() string {
	_, name, found := strings.Cut(f.Location, ".")
	if !found {
		return f.Location
	}
	return name
}

// Error is one line: the fields that are wrong, or what the server said.
func (p *Problem) Error() string {
	var parts []string
	for _, f := range p.Errors {
		parts = append(parts, strings.TrimPrefix(f.Field()+": "+f.Message, ": "))
	}
	if len(parts) > 0 {
		return strings.Join(parts, "; ")
	}
	if p.Detail != "" {
		return p.Detail
	}
	return fmt.Sprintf("the server answered %d %s", p.Status, p.Title)
}

// maxQuoted is how much is shown of a refusal that is no problem document.
const maxQuoted = 200

func problemOf(res *http.Response, body []byte) *Problem {
	p := &Problem{}
	if err := json.Unmarshal(body, p); err != nil || (p.Detail == "" && p.Title == "") {
		// Something in between answered: a proxy, or no Gatehouse at all.
		text := strings.Join(strings.Fields(string(body)), " ")
		p = &Problem{Detail: fmt.Sprintf("the server answered %s", res.Status)}
		if text != "" {
			p.Detail += ": " + text[:min(len(text), maxQuoted)]
		}
	}
	p.Status, p.RetryAfter = res.StatusCode, res.Header.Get("Retry-After")
	return p
}

// Unreachable says that no answer came.
type Unreachable struct {
	// Address of the server that was asked.
	Address string
	Cause   error
}

func (u *Unreachable) Error() string { return fmt.Sprintf("no answer from %s: %v", u.Address, u.Cause) }

// Unwrap returns why.
func (u *Unreachable) Unwrap() error { return u.Cause }
