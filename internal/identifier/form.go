package identifier

import (
	"strings"

	"golang.org/x/net/idna"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Standing says what an identifier is good for.
type Standing string

// The standings.
const (
	// Verified joins principals.
	Verified Standing = "verified"
	// Unverified joins them only where an administrator trusts the connection.
	Unverified Standing = "unverified"
	// Weak never joins: it names a post or nothing, and no person.
	Weak Standing = "weak"
)

// Form is what is compared of an identifier.
type Form struct {
	Type connector.IdentifierType
	// Value is the normal form. Two identifiers are the same when type and value
	// are, byte by byte.
	Value    string
	Standing Standing
}

// Of returns an identifier's normal form; ok is false when nothing is left of
// it to compare.
//
//   - email, upn: the domain in lower case and as IDNA writes it in ASCII; of the
//     part before it the ASCII letters in lower case. No other letters are folded,
//     so that no look-alike becomes a name; no dots or plus tags are taken away,
//     since whose mail that is only the domain knows.
//   - employee_id: byte by byte, without surrounding space.
//   - immutable_id: the same; one that is a GUID in lower case.
func Of(i connector.Identifier) (f Form, ok bool) {
	f = Form{Type: i.Type, Value: strings.TrimSpace(i.Value), Standing: Verified}
	if i.Unverified {
		f.Standing = Unverified
	}
	switch i.Type {
	case connector.Email, connector.UserPrincipalName:
		at := strings.LastIndexByte(f.Value, '@')
		if at <= 0 || at == len(f.Value)-1 {
			f.Value, f.Standing = lowerASCII(f.Value), Weak
			break
		}
		local := lowerASCII(f.Value[:at])
		f.Value = local + "@" + domain(f.Value[at+1:])
		// A sign-in name is somebody's, whatever it is called.
		if i.Type == connector.Email && isPost(local) {
			f.Standing = Weak
		}
	case connector.ImmutableID:
		if isGUID(f.Value) {
			f.Value = lowerASCII(f.Value)
		}
	}
	if isPlaceholder(f.Value) {
		f.Standing = Weak
	}
	return f, f.Value != ""
}

// domain returns a domain's normal form. What IDNA refuses stays as it is.
func domain(d string) string {
	d = lowerASCII(strings.TrimSuffix(d, "."))
	if ascii, err := idna.Lookup.ToASCII(d); err == nil {
		return ascii
	}
	return d
}

// lowerASCII leaves every other letter alone: strings.ToLower makes the Kelvin
// sign a k, so that two addresses become one.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// isGUID reports whether s is 32 hexadecimal digits in groups of 8-4-4-4-12.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
			continue
		}
		if !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
			return false
		}
	}
	return true
}

// isPost reports whether mail to this local part goes to a post and not to a
// person: the names of RFC 2142, and those that estates use besides.
func isPost(local string) bool {
	local, _, _ = strings.Cut(local, "+")
	switch strings.NewReplacer("-", "", "_", "", ".", "").Replace(local) {
	case "abuse", "noc", "security", "postmaster", "hostmaster", "usenet", "news", "webmaster", "www", "uucp", "ftp",
		"info", "marketing", "sales", "support",
		"admin", "admins", "administrator", "root", "it", "itsupport", "ops", "devops", "sysadmin", "cloud", "aws", "azure",
		"help", "helpdesk", "servicedesk", "service", "services", "contact", "office", "team", "all", "everyone", "hr", "jobs",
		"billing", "accounts", "accounting", "finance", "invoices", "payments", "legal", "privacy", "compliance", "press",
		"noreply", "donotreply", "mailerdaemon", "notifications", "alerts", "monitoring", "test", "user", "shared":
		return true
	}
	return false
}

// isPlaceholder reports whether a value is what people and imports write where
// there is none.
func isPlaceholder(value string) bool {
	if strings.Trim(value, "0-. ") == "" {
		return true
	}
	switch lowerASCII(value) {
	case "n/a", "na", "none", "null", "nil", "unknown", "tbd", "test", "default", "undefined", "x", "xx", "xxx", "contractor", "external":
		return true
	}
	return false
}
