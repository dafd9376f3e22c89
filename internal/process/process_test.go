package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/wire"
)

// aScript has two pages and more than one kind of everything.
func aScript() script {
	account := connector.Ref{Kind: connector.Account, ID: "1"}
	group := connector.Ref{Kind: connector.Entitlement, ID: "g <&> \u2028"}
	return script{Takes: 1, Pages: []wire.PageBody{
		{
			Entities: []connector.Entity{{Ref: account, Name: "Ada", Attributes: json.RawMessage(`{"n":1e3,"s":"<>"}`)}, {Ref: group}},
			Gaps:     []wire.ErrorBody{{Category: connector.PermissionDenied, Message: "no", Permission: "p", On: "o"}}, Next: "1",
		},
		{Relationships: []connector.Relationship{{Kind: connector.AccountAssignedEntitlement, From: account, To: group, Terms: &connector.Terms{Effect: connector.Deny}}}},
	}}
}

func TestProgramIsTheConnector(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	settings := settingsOf(t, aScript(), &log)
	inside, err := shelf{}.Open(t.Context(), func() connector.Settings { s := settings; s.Budget = connector.Unlimited{}; return s }())
	require.NoError(t, err)
	outside, err := ownProgram(t, "shelf").Open(t.Context(), settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, outside.Close()) })

	for name, ask := range map[string]func(connector.Session) (any, error){
		"check": func(s connector.Session) (any, error) { return s.Check(t.Context()) },
		"plan":  func(s connector.Session) (any, error) { return s.Plan(t.Context()) },
		"read": func(s connector.Session) (any, error) {
			c := &collector{}
			err := s.Read(t.Context(), connector.Partition{Stream: "books"}, "", c)
			return c.pages, err
		},
		"read from a cursor": func(s connector.Session) (any, error) {
			c := &collector{}
			err := s.Read(t.Context(), connector.Partition{Stream: "books"}, "1", c)
			return c.pages, err
		},
		"wrong cursor": func(s connector.Session) (any, error) {
			return nil, s.Read(t.Context(), connector.Partition{Stream: "books"}, "x", &collector{})
		},
	} {
		want, wantErr := ask(inside)
		got, gotErr := ask(outside)
		require.Equal(t, wantErr, gotErr, name)
		require.Equal(t, jsonOf(t, want), jsonOf(t, got), name)
	}
	identity, err := outside.(connector.IdentifyingSession).Identify(t.Context())
	require.NoError(t, err)
	require.Equal(t, connector.Identity{Target: connector.Target{ID: "1", Type: "shelf"}, ActsAs: "reader"}, identity)
	require.Zero(t, outside.(*session).Restarts())
}

func TestSinkErrorComesBackUnchanged(t *testing.T) {
	t.Parallel()
	refusal := errors.New("no more")
	s, err := ownProgram(t, "shelf").Open(t.Context(), settingsOf(t, aScript(), &bytes.Buffer{}))
	require.NoError(t, err)
	c := &collector{refuse: 1, err: refusal}
	require.Same(t, refusal, s.Read(t.Context(), connector.Partition{Stream: "books"}, "", c))
	require.Len(t, c.pages, 1)
	_, err = s.Plan(t.Context())
	require.NoError(t, err, "the same process goes on")
	require.Zero(t, s.(*session).Restarts())
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err = s.Plan(t.Context())
	require.ErrorContains(t, err, "closed")
}

// TestWrongConduct has a program do each thing that is wrong, and requires that the
// call ends with a reason, and that the next begins with a new process.
func TestWrongConduct(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]struct {
		category connector.Category
		says     string
	}{
		"no JSON":           {connector.ContractViolation, "not a message"},
		"unknown field":     {connector.ContractViolation, `unknown field "entites"`},
		"no UTF-8":          {connector.ContractViolation, "not valid UTF-8"},
		"long line":         {connector.ContractViolation, "too long"},
		"endless line":      {connector.ContractViolation, "too long"},
		"wrong call":        {connector.ContractViolation, "while call 3 is under way"},
		"wrong order":       {connector.ContractViolation, `"hello", which has no place in the answer to read`},
		"unknown category":  {connector.ContractViolation, "not known"},
		"silence":           {connector.Internal, "said nothing for"},
		"flood":             {connector.ContractViolation, "floods the log"},
		"exit":              {connector.Internal, "ended with the status 7"},
		"exit in mid-line":  {connector.Internal, "ended in the middle of a line"},
		"exit after a page": {connector.Internal, "ended by itself before its work was done"},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			var log lockedBuffer
			p := ownProgram(t, how)
			s, err := p.Open(t.Context(), settingsOf(t, script{}, &log))
			require.NoError(t, err)
			if how == "silence" { // of this process: beginning takes as long as it takes
				s.(*session).talk.limits.Silence = p.Limits.Stopping / 4
			}
			err = s.Read(t.Context(), connector.Partition{Stream: "books"}, "", &collector{})
			var failure *connector.Error
			require.ErrorAs(t, err, &failure)
			require.Equal(t, want.category, failure.Category, failure.Message)
			require.Contains(t, failure.Message, want.says)
			_, err = s.Check(t.Context())
			require.NoError(t, err, "the next call begins with a new process")
			require.Equal(t, 1, s.(*session).Restarts())
			require.NoError(t, s.Close())
			if how == "exit" {
				require.Contains(t, log.String(), "out of luck", "what it wrote to standard error is in the log")
			}
		})
	}
}

func TestWrongBeginning(t *testing.T) {
	t.Parallel()
	for how, says := range map[string]string{
		"old":      "speaks protocol 99",
		"mute":     "did not begin within",
		"no hello": `begins with "result"`,
		"changed":  "describes itself differently",
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			p := ownProgram(t, how)
			if how == "mute" {
				p.Limits.Starting = p.Limits.Stopping / 2
			}
			_, err := p.Open(t.Context(), settingsOf(t, script{}, &bytes.Buffer{}))
			require.ErrorContains(t, err, says)
		})
	}
}

func TestStandardErrorIsBounded(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	p := ownProgram(t, "stderr flood")
	s, err := p.Open(t.Context(), settingsOf(t, script{}, &log))
	require.NoError(t, err)
	require.NoError(t, s.Read(t.Context(), connector.Partition{Stream: "books"}, "", &collector{}))
	require.NoError(t, s.Close())
	require.LessOrEqual(t, strings.Count(log.String(), "the secret"), p.Limits.StderrBytes/len("the secret is hunter2hunter2\n")+1)
	require.Contains(t, log.String(), "bytes_left_out")
}

func TestCancelledCallEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p := ownProgram(t, "deaf to cancel")
	p.Limits.Stopping /= 10
	s, err := p.Open(t.Context(), settingsOf(t, script{}, &bytes.Buffer{}))
	require.NoError(t, err)
	err = s.Read(ctx, connector.Partition{Stream: "books"}, "", cancelling(cancel))
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, s.(*session).talk.over(), "a program that does not hear is ended")
	select {
	case <-s.(*session).talk.child.Done():
	default:
		require.Fail(t, "its process goes on")
	}
	require.NoError(t, s.Close())
}

// cancelling is a sink that cancels the read at its first page, and takes it.
type cancelling context.CancelFunc

func (c cancelling) Write(context.Context, connector.Page) error {
	c()
	return nil
}

func TestProgramThatStaysIsKilledAtClose(t *testing.T) {
	t.Parallel()
	p := ownProgram(t, "stays")
	p.Limits.Stopping /= 10
	s, err := p.Open(t.Context(), settingsOf(t, script{}, &bytes.Buffer{}))
	require.NoError(t, err)
	require.ErrorContains(t, s.Close(), "was killed")
}
