package licence

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/note"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// MaxDocumentBytes bounds a licence's text.
const MaxDocumentBytes = 64 << 10

// header is the first line of the text. Another form gets another one.
const header = "gatehouse-licence/v1\n"

// payload is the JSON object behind the header.
type payload struct {
	ID           string           `json:"licence_id"`
	Tenant       id.Tenant        `json:"tenant_id"`
	Licensee     string           `json:"licensee"`
	Integrations []integration.ID `json:"integrations"`
	Limits       limits           `json:"limits"`
	IssuedAt     time.Time        `json:"issued_at"`
	NotBefore    time.Time        `json:"not_before"`
	ExpiresAt    *time.Time       `json:"expires_at,omitempty"`
	GraceDays    int              `json:"grace_days"`
}

type limits struct {
	Workspaces  *int64 `json:"workspaces,omitempty"`
	Connections *int64 `json:"connections,omitempty"`
}

// Sign returns the text of a licence: a signed note as in
// golang.org/x/mod/sumdb/note, whose text is the line "gatehouse-licence/v1" and
// a JSON object, and whose signatures are Ed25519. It can be mailed and read.
func Sign(l Licence, key SigningKey) (string, error) {
	if err := l.Validate(); err != nil {
		return "", err
	}
	// A note's text has no control characters but line ends, so no tabs.
	body, err := json.Marshal(payload{
		ID: l.ID, Tenant: l.Tenant, Licensee: l.Licensee, Integrations: l.Integrations, Limits: limits(l.Limits),
		IssuedAt: l.IssuedAt.UTC(), NotBefore: l.NotBefore.UTC(), ExpiresAt: utc(l.ExpiresAt), GraceDays: l.GraceDays,
	}, jsontext.WithIndent("  "))
	if err != nil {
		return "", fmt.Errorf("encode the licence: %w", err)
	}
	signer, err := key.signer()
	if err != nil {
		return "", err
	}
	text, err := note.Sign(&note.Note{Text: header + string(body) + "\n"}, signer)
	if err != nil {
		return "", fmt.Errorf("sign the licence: %w", err)
	}
	if len(text) > MaxDocumentBytes {
		return "", fault.New(fault.TooLarge, "the licence would be %d bytes long; %d are the most", len(text), MaxDocumentBytes)
	}
	return string(text), nil
}

// Open returns the licence in a text that one of the keys signed. Every error is
// Invalid and says what is wrong with the text; nothing is read from a text
// before its signature holds.
func Open(document string, keys []PublicKey) (Licence, error) {
	if len(document) > MaxDocumentBytes {
		return Licence{}, refused("it is longer than the %d bytes of any licence", MaxDocumentBytes)
	}
	if len(keys) == 0 {
		return Licence{}, refused("this data plane trusts no key that licences are signed with; the operator adds one with gatehouse migrate --licence-public-key")
	}
	verifiers, err := verifiers(keys)
	if err != nil {
		return Licence{}, err
	}
	opened, err := note.Open([]byte(document), verifiers)
	var unknown *note.UnverifiedNoteError
	var altered *note.InvalidSignatureError
	switch {
	case errors.As(err, &unknown):
		return Licence{}, refused("it is signed with %s, a key that this data plane does not trust; it trusts %s", names(unknown.Note.UnverifiedSigs), trusted(keys))
	case errors.As(err, &altered):
		return Licence{}, refused("it was altered after it was signed; install the file as it was issued")
	case err != nil:
		return Licence{}, refused("it is no licence, or not a whole one; install the file as it was issued, from its first line to the line of its signature")
	}
	return decode(opened.Text)
}

// decode reads what was signed. Fields that this version does not know are
// refused: they may be limits.
func decode(text string) (Licence, error) {
	body, ok := strings.CutPrefix(text, header)
	if !ok {
		return Licence{}, refused("it does not begin with %q; another version of Gatehouse may read it", strings.TrimSpace(header))
	}
	var p payload
	if err := json.Unmarshal([]byte(body), &p, json.RejectUnknownMembers(true)); err != nil {
		return Licence{}, refused("it says something that this version of Gatehouse does not understand; upgrade, or ask for another one")
	}
	l := Licence{
		ID: p.ID, Tenant: p.Tenant, Licensee: p.Licensee, Integrations: p.Integrations, Limits: Limits(p.Limits),
		IssuedAt: p.IssuedAt, NotBefore: p.NotBefore, ExpiresAt: p.ExpiresAt, GraceDays: p.GraceDays,
	}
	if err := l.Validate(); err != nil {
		return Licence{}, refused("it was signed with values that no licence may have; ask for another one")
	}
	return l, nil
}

// refused is an Invalid error about the licence's text.
func refused(format string, args ...any) error {
	why := fmt.Sprintf(format, args...)
	return &fault.Error{
		Kind: fault.Invalid, Message: "the licence is refused: " + why,
		Fields: []fault.Field{{Path: "licence", Message: why}},
	}
}

func names(signatures []note.Signature) string {
	var list []string
	for _, s := range signatures {
		list = append(list, fmt.Sprintf("%s+%08x", s.Name, s.Hash))
	}
	return strings.Join(list, ", ")
}

func trusted(keys []PublicKey) string {
	var list []string
	for _, k := range keys {
		list = append(list, k.ID())
	}
	return strings.Join(list, ", ")
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}
