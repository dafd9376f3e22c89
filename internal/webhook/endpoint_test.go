package webhook_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// endpoints takes what it is given.
type endpoints struct {
	webhook.Store
}

func (endpoints) NextID(context.Context) (id.Webhook, error) { return 1, nil }

func (endpoints) Create(_ context.Context, e webhook.Endpoint, _ connection.Sealed, _ audit.Event) (webhook.Endpoint, error) {
	return e, nil
}

// open seals nothing.
type open struct{ webhook.Cipher }

func (open) Seal(context.Context, id.Scope, id.Webhook, int64, secret.Secret) (connection.Sealed, error) {
	return connection.Sealed{}, nil
}

func create(allowPrivate bool, d webhook.Draft) (secret.Secret, error) {
	s := &webhook.Service{Store: endpoints{}, Cipher: open{}, Rules: webhook.Rules{AllowPrivate: allowPrivate, Reachable: func(host string) error {
		if host == "10.0.0.1" && !allowPrivate || host == "169.254.169.254" {
			return errors.New("refused")
		}
		return nil
	}}}
	_, plain, err := s.Create(context.Background(), workspace.Caller{Role: workspace.Admin}, d)
	return plain, err
}

func TestAddressesOfEndpoints(t *testing.T) {
	t.Parallel()
	for address, allowed := range map[string][2]bool{ // without and with the operator's leave
		"https://hooks.example.com/in?token=x":   {true, true},
		"https://hooks.example.com:8443":         {true, true},
		"https://203.0.113.7/":                   {true, true},
		"https://10.0.0.1/":                      {false, true},
		"https://169.254.169.254/":               {false, false},
		"https://localhost/":                     {false, true},
		"https://LOCALHOST./":                    {false, true},
		"https://api.localhost/":                 {false, true},
		"https://127.0.0.1/":                     {false, true},
		"https://[::1]/":                         {false, true},
		"https://[::ffff:127.0.0.1]/":            {false, true},
		"http://127.0.0.1:8080/":                 {false, true},
		"http://localhost:8080/":                 {false, true},
		"http://hooks.example.com/":              {false, false},
		"http://10.0.0.1/":                       {false, false},
		"https://user:pass@hooks.example.com/":   {false, false},
		"https://hooks.example.com/#part":        {false, false},
		"https:hooks.example.com":                {false, false},
		"https:///path":                          {false, false},
		"ftp://hooks.example.com/":               {false, false},
		"file:///etc/passwd":                     {false, false},
		"":                                       {false, false},
		"https://a/" + strings.Repeat("a", 2048): {false, false},
	} {
		for i, leave := range []bool{false, true} {
			_, err := create(leave, webhook.Draft{URL: address, Events: []webhook.EventType{webhook.RunCompleted}})
			require.Equal(t, allowed[i], err == nil, "%s with leave %t: %v", address, leave, err)
			if f, ok := fault.As(err); ok {
				require.Equal(t, "url", f.Fields[0].Path)
			}
		}
	}
}

func TestEndpointNamesItsEvents(t *testing.T) {
	t.Parallel()
	for _, types := range [][]webhook.EventType{nil, {"run.finished"}, {webhook.Ping}, {webhook.RunCompleted, webhook.RunCompleted}} {
		_, err := create(false, webhook.Draft{URL: "https://hooks.example.com", Events: types})
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%v", types)
	}
	plain, err := create(false, webhook.Draft{URL: "https://hooks.example.com", Events: webhook.EventTypes()})
	require.NoError(t, err)
	require.Regexp(t, `^whsec_[A-Za-z0-9+/]{43}=$`, plain.RevealString())
}

func TestVerifySaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	// The example of the specification.
	plain, body := secret.FromString("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), []byte(`{"test": 2432232314}`)
	const messageID, at, signature = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	now := time.Unix(1614265330, 0).Add(time.Minute)
	verify := func(messageID, at, signature string, body []byte) error {
		return webhook.Verify(messageID, at, signature, body, plain, now, 5*time.Minute)
	}
	require.NoError(t, verify(messageID, at, signature, body))
	require.NoError(t, verify(messageID, at, "v1,AAAA v2,else "+signature, body))
	for name, err := range map[string]error{
		"id":        verify("msg_2", at, signature, body),
		"time":      verify(messageID, "1614265331", signature, body),
		"body":      verify(messageID, at, signature, []byte(`{"test":2432232314}`)),
		"signature": verify(messageID, at, "v1,", body),
		"no time":   verify(messageID, "yesterday", signature, body),
		"old":       webhook.Verify(messageID, at, signature, body, plain, now.Add(time.Hour), 5*time.Minute),
		"early":     webhook.Verify(messageID, at, signature, body, plain, now.Add(-time.Hour), 5*time.Minute),
		"secret":    webhook.Verify(messageID, at, signature, body, secret.FromString("whsec_c2hvcnQ="), now, 5*time.Minute),
	} {
		require.Error(t, err, name)
	}
}
