package licence_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/licence"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// vendor issues licences.
type vendor struct {
	text    secret.Secret
	signing licence.SigningKey
	public  licence.PublicKey
}

func newVendor(t testing.TB, name string) vendor {
	t.Helper()
	text, public, err := licence.NewKey(name)
	require.NoError(t, err)
	signing, err := licence.ParseSigningKey(text.RevealString())
	require.NoError(t, err)
	return vendor{text: text, signing: signing, public: public}
}

func (v vendor) sign(t testing.TB, l licence.Licence) string {
	t.Helper()
	text, err := licence.Sign(l, v.signing)
	require.NoError(t, err)
	return text
}

// signText signs whatever it is given, as a careless vendor would.
func (v vendor) signText(t testing.TB, text string) string {
	t.Helper()
	signer, err := note.NewSigner(v.text.RevealString())
	require.NoError(t, err)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	require.NoError(t, err)
	return string(signed)
}

// begin is when the licences of these tests are issued.
var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func contoso() licence.Licence {
	five, end := int64(5), begin.AddDate(1, 0, 0)
	return licence.Licence{
		ID: "lic-2026-0042", Tenant: 1, Licensee: "Contoso Ltd", Integrations: []integration.ID{"aws", "xero"},
		Limits: licence.Limits{Connections: &five}, IssuedAt: begin, NotBefore: begin, ExpiresAt: &end, GraceDays: 14,
	}
}

func requireRefused(t *testing.T, err error, because string) {
	t.Helper()
	require.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
	require.ErrorContains(t, err, "the licence is refused")
	require.ErrorContains(t, err, because)
}

func TestLicenceIsReadableText(t *testing.T) {
	t.Parallel()
	v := newVendor(t, "licences.example.com")
	text := v.sign(t, contoso())
	body, signature, ok := strings.Cut(text, "\n\n")
	require.True(t, ok)
	require.Equal(t, `gatehouse-licence/v1
{
  "licence_id": "lic-2026-0042",
  "tenant_id": "t_1",
  "licensee": "Contoso Ltd",
  "integrations": [
    "aws",
    "xero"
  ],
  "limits": {
    "connections": 5
  },
  "issued_at": "2026-03-01T12:00:00Z",
  "not_before": "2026-03-01T12:00:00Z",
  "expires_at": "2027-03-01T12:00:00Z",
  "grace_days": 14
}`, body)
	require.True(t, strings.HasPrefix(signature, "— licences.example.com "), signature)
}

func licences() *rapid.Generator[licence.Licence] {
	return rapid.Custom(func(t *rapid.T) licence.Licence {
		moment := func(label string) time.Time {
			return time.Unix(rapid.Int64Range(978307200, 4102444800).Draw(t, label), rapid.Int64Range(0, 999_999_999).Draw(t, label+" nanoseconds")).UTC()
		}
		l := licence.Licence{
			ID: rapid.StringMatching(`[A-Za-z0-9._-]{1,200}`).Draw(t, "id"), Tenant: id.Tenant(rapid.Int64Range(1, 1<<62).Draw(t, "tenant")),
			Licensee: rapid.StringMatching(`\PC{1,80}x`).Draw(t, "licensee") + "x", IssuedAt: moment("issued"), NotBefore: moment("not before"),
			GraceDays: rapid.IntRange(0, 366).Draw(t, "grace"),
		}
		l.Licensee = strings.TrimSpace(l.Licensee)
		for _, i := range rapid.SliceOfN(rapid.StringMatching(`[a-z][a-z0-9_]{0,62}|\*`), 0, 5).Draw(t, "integrations") {
			l.Integrations = append(l.Integrations, integration.ID(i))
		}
		for _, limit := range []**int64{&l.Limits.Workspaces, &l.Limits.Connections} {
			if rapid.Bool().Draw(t, "limited") {
				most := rapid.Int64Range(0, 1_000_000_000).Draw(t, "limit")
				*limit = &most
			}
		}
		if rapid.Bool().Draw(t, "ends") {
			end := l.NotBefore.Add(time.Duration(rapid.Int64Range(1, 1<<55).Draw(t, "length")))
			l.ExpiresAt = &end
		}
		return l
	})
}

func TestSignedLicenceOpensAsItWas(t *testing.T) {
	t.Parallel()
	v := newVendor(t, "licences.example.com")
	rapid.Check(t, func(r *rapid.T) {
		l := licences().Draw(r, "licence")
		if l.Validate() != nil {
			r.Skip("a name that is none")
		}
		text, err := licence.Sign(l, v.signing)
		require.NoError(r, err)
		opened, err := licence.Open(text, []licence.PublicKey{v.public})
		require.NoError(r, err)
		if diff := cmp.Diff(l, opened, cmpopts.EquateEmpty()); diff != "" {
			r.Fatal(diff)
		}
	})
}

// Every bit of it counts: the text is signed, and the signature is one only. The
// base64 of a signature has bits that decode to nothing; a change there changes
// nothing that was signed.
func TestEveryChangeIsRefused(t *testing.T) {
	t.Parallel()
	v := newVendor(t, "licences.example.com")
	text, keys := v.sign(t, contoso()), []licence.PublicKey{v.public}
	whole, err := licence.Open(text, keys)
	require.NoError(t, err)
	for i := range len(text) {
		for bit := range 8 {
			changed := []byte(text)
			changed[i] ^= 1 << bit
			opened, err := licence.Open(string(changed), keys)
			if err == nil {
				require.Greater(t, i, strings.LastIndex(text, "— "), "byte %d of the text itself", i)
				require.Equal(t, whole, opened)
				continue
			}
			requireRefused(t, err, "")
		}
		_, err := licence.Open(text[:i], keys)
		requireRefused(t, err, "")
		_, err = licence.Open(text[:i]+"x"+text[i:], keys)
		requireRefused(t, err, "")
	}
}

func TestRefusalsSayWhy(t *testing.T) {
	t.Parallel()
	v, other := newVendor(t, "licences.example.com"), newVendor(t, "someone.else")
	namesake := newVendor(t, "licences.example.com")
	good := v.sign(t, contoso())
	body, _, _ := strings.Cut(strings.TrimPrefix(good, "gatehouse-licence/v1\n"), "\n\n")
	trust := []licence.PublicKey{v.public}
	for name, c := range map[string]struct {
		document string
		keys     []licence.PublicKey
		because  string
	}{
		"no key trusted":     {good, nil, "--licence-public-key"},
		"a key not trusted":  {other.sign(t, contoso()), trust, "someone.else"},
		"another of a name":  {namesake.sign(t, contoso()), trust, "does not trust"},
		"altered":            {strings.Replace(good, `"connections": 5`, `"connections": 9`, 1), trust, "altered"},
		"cut off":            {good[:len(good)/2], trust, "not a whole one"},
		"without signature":  {body, trust, "not a whole one"},
		"line ends changed":  {strings.ReplaceAll(good, "\n", "\r\n"), trust, "as it was issued"},
		"empty":              {"", trust, "no licence"},
		"too long":           {good + strings.Repeat("x", licence.MaxDocumentBytes), trust, "longer"},
		"another form":       {v.signText(t, "gatehouse-licence/v2\n{}\n"), trust, "does not begin with"},
		"an unknown limit":   {v.signText(t, "gatehouse-licence/v1\n"+strings.Replace(body, `"connections": 5`, `"runs": 5`, 1)+"\n"), trust, "does not understand"},
		"a field twice":      {v.signText(t, "gatehouse-licence/v1\n"+strings.Replace(body, "{", `{"licence_id":"other",`, 1)+"\n"), trust, "does not understand"},
		"a field by case":    {v.signText(t, "gatehouse-licence/v1\n"+strings.Replace(body, `"licensee"`, `"Licensee"`, 1)+"\n"), trust, "does not understand"},
		"something behind":   {v.signText(t, "gatehouse-licence/v1\n"+body+"{}\n"), trust, "does not understand"},
		"nested deeply":      {v.signText(t, "gatehouse-licence/v1\n"+strings.Repeat("[", 30_000)+"\n"), trust, "does not understand"},
		"a negative limit":   {v.signText(t, "gatehouse-licence/v1\n"+strings.Replace(body, `"connections": 5`, `"connections": -5`, 1)+"\n"), trust, "no licence may have"},
		"an endless grace":   {v.signText(t, "gatehouse-licence/v1\n"+strings.Replace(body, `"grace_days": 14`, `"grace_days": 99999999`, 1)+"\n"), trust, "no licence may have"},
		"ends before begins": {v.signText(t, "gatehouse-licence/v1\n"+strings.Replace(body, `"expires_at": "2027`, `"expires_at": "2025`, 1)+"\n"), trust, "no licence may have"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := licence.Open(c.document, c.keys)
			requireRefused(t, err, c.because)
		})
	}
}

// A licence may carry signatures of several keys, so that old and new data
// planes take the same file.
func TestOneTrustedSignatureIsEnough(t *testing.T) {
	t.Parallel()
	v, other := newVendor(t, "licences.example.com"), newVendor(t, "next.example.com")
	_, signature, _ := strings.Cut(other.sign(t, contoso()), "\n\n")
	both := v.sign(t, contoso()) + signature
	for _, keys := range [][]licence.PublicKey{{v.public}, {other.public}, {v.public, other.public, v.public}} {
		_, err := licence.Open(both, keys)
		require.NoError(t, err)
	}
}

func TestUnusableLicencesAreNotSigned(t *testing.T) {
	t.Parallel()
	v := newVendor(t, "licences.example.com")
	many, before := int64(-1), begin.Add(-time.Hour)
	for field, change := range map[string]func(*licence.Licence){
		"licence_id":         func(l *licence.Licence) { l.ID = "a b" },
		"tenant_id":          func(l *licence.Licence) { l.Tenant = 0 },
		"licensee":           func(l *licence.Licence) { l.Licensee = "a\nb" },
		"integrations":       func(l *licence.Licence) { l.Integrations = []integration.ID{"AWS"} },
		"limits.workspaces":  func(l *licence.Licence) { l.Limits.Workspaces = &many },
		"limits.connections": func(l *licence.Licence) { l.Limits.Connections = &many },
		"issued_at":          func(l *licence.Licence) { l.IssuedAt = time.Time{} },
		"not_before":         func(l *licence.Licence) { l.NotBefore = time.Time{} },
		"expires_at":         func(l *licence.Licence) { l.ExpiresAt = &before },
		"grace_days":         func(l *licence.Licence) { l.GraceDays = -1 },
	} {
		l := contoso()
		change(&l)
		_, err := licence.Sign(l, v.signing)
		found, ok := fault.As(err)
		require.True(t, ok, field)
		require.Len(t, found.Fields, 1, field)
		require.Equal(t, field, found.Fields[0].Path)
	}
}

func TestKeysAreReadOrRefused(t *testing.T) {
	t.Parallel()
	v := newVendor(t, "licences.example.com")
	keys, err := licence.ParsePublicKeys(fmt.Sprintf("# whose keys\n\n  %s \r\n%s\n", v.public, newVendor(t, "next.example.com").public))
	require.NoError(t, err)
	require.Len(t, keys, 2)
	require.Equal(t, v.public, keys[0])
	for _, text := range []string{"", "# nothing\n", "x", string(v.public) + "x", v.text.RevealString(), strings.Repeat(string(v.public)+"\n", 17)} {
		_, err := licence.ParsePublicKeys(text)
		require.Error(t, err)
		require.NotContains(t, err.Error(), v.text.RevealString())
	}
	for _, text := range []string{"", "x", string(v.public), v.text.RevealString() + "x"} {
		_, err := licence.ParseSigningKey(text)
		require.ErrorContains(t, err, "keygen")
		require.NotContains(t, err.Error(), "PRIVATE")
	}
	for _, name := range []string{"", "a b", "a+b", "a\nb", strings.Repeat("a", 101)} {
		_, _, err := licence.NewKey(name)
		require.Error(t, err, "%q", name)
	}
}

// FuzzOpen looks for a text that does anything but open whole or be refused.
func FuzzOpen(f *testing.F) {
	v := newVendor(f, "licences.example.com")
	good := v.sign(f, contoso())
	f.Add(good, false)
	f.Add(strings.Replace(good, "\n\n", "\n", 1), false)
	f.Add(`{"licence_id":"a","tenant_id":"t_1","licensee":"x","integrations":["*"],"limits":{},"issued_at":"2026-01-01T00:00:00Z","not_before":"2026-01-01T00:00:00Z","grace_days":0}`, true)
	f.Add(`{"limits":{"connections":1e400}}`, true)
	f.Fuzz(func(t *testing.T, text string, signed bool) {
		if signed {
			// What a vendor signs is read too: it must not bring a service down.
			signer, err := note.NewSigner(v.text.RevealString())
			require.NoError(t, err)
			made, err := note.Sign(&note.Note{Text: "gatehouse-licence/v1\n" + text + "\n"}, signer)
			require.NoError(t, err)
			text = string(made)
		}
		l, err := licence.Open(text, []licence.PublicKey{v.public})
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			require.Equal(t, licence.Licence{}, l)
			return
		}
		require.NoError(t, l.Validate())
	})
}
