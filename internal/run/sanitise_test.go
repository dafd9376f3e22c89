package run_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

func TestSanitiseKeepsWhatHelps(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"",
		"User: arn:aws:iam::123456789012:user/contoso/engineering/platform/ada.lovelace is not authorized to perform: iam:ListUsers",
		"cannot assume arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_AdministratorAccess_0123456789abcdef.",
		"missing s3:GetBucketPolicy on (arn:aws:s3:::contoso-finance-reports-2026-eu-west-1-archive)",
		"Post https://organizations.us-east-1.amazonaws.com/some/long/path/that/names/things: connection refused",
		"dial tcp 127.0.0.1:4566: connect: connection refused",
		"request id: 7a62c49f-347e-4fc4-9331-6e8e0a1b2c3d, tenant 11111111-2222-3333-4444-555555555555",
		"access key AKIAIOSFODNN7EXAMPLE does not exist",
		"role application/component/ServiceRoleForContinuousIntegration is missing",
		"the security token included in the request is invalid",
		"Missing organizations:ListOrganizationalUnitsForParent in the organisation",
		"secretsmanager:ListSecrets on account 123456789012",
		"AWSReservedSSO_AdministratorAccess_0123456789abcdef cannot be read",
		"Zugriff verweigert für größe.mustermann",
	} {
		require.Equal(t, s, run.Sanitise(s))
	}
}

func TestSanitiseRemovesSecrets(t *testing.T) {
	t.Parallel()
	for text, secret := range map[string]string{
		"key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY rejected":                             "wJalrXUtnFEMI",
		"client_secret=hunter2":                                                             "hunter2",
		`{"password": "correct horse battery"}`:                                             "horse",
		"Authorization: Basic dXNlcjpwYXNzd29yZA==":                                         "dXNlcjpwYXNzd29yZA",
		"authorization=Bearer abcdefghijk":                                                  "abcdefghijk",
		"sent bearer abc.def.ghi-jkl":                                                       "abc.def",
		"token gk_abcdefgh1234":                                                             "abcdefgh1234",
		"run token gr_1.2.3.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":                    "aaaaaaaa",
		"GET https://user:pass@host.example/path failed":                                    "pass",
		"GET https://s3.amazonaws.com/b?X-Amz-Signature=0a&X-Amz-Security-Token=F failed":   "X-Amz-Sec",
		"see https://host.example?code=abc":                                                 "abc",
		"-----BEGIN PRIVATE KEY-----\nMIIE\nvQIB\n-----END PRIVATE KEY-----":                "MIIE",
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE":                                             "MIIE",
		"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmN": "eyJhbGci",
		"Abc8Q~dEf0gH1iJ2kL3mN4oP5qR6sT7uV8wX9yZ0 expired":                                  "dEf0gH1i",
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08":                  "9f86d081",
		"key fedcba98765432101111111111111111 refused":                                      "1111111",
		"password:CorrectHorseBatteryStapleForever":                                         "Battery",
		"session gs_abcdefgh1234":                                                           "abcdefgh1234",
		"TfCzze4uFwab9SMKKWMhOYgr_kq3ZtN8vWbXr5LpQ2":                                        "TfCzze4uFwab",
		"api_key: 12345":              "12345",
		"x\x00y password\t=\nhunter2": "hunter2",
	} {
		require.NotContains(t, run.Sanitise(text), secret, "%q", text)
	}
}

// Random bytes of the length of real keys do not survive in any encoding,
// wherever they stand in a message.
func TestSanitiseRemovesRandomSecrets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// A seed stretched by a generator: rapid itself prefers small values,
		// which no real secret is made of.
		random := rand.NewChaCha8(sha256.Sum256([]byte(rapid.String().Draw(t, "seed"))))
		raw := make([]byte, rapid.IntRange(30, 64).Draw(t, "length"))
		_, err := random.Read(raw)
		require.NoError(t, err)
		secret := rapid.SampledFrom([]func([]byte) string{
			base64.StdEncoding.EncodeToString, base64.URLEncoding.EncodeToString, base64.RawURLEncoding.EncodeToString, hex.EncodeToString,
			func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) },
		}).Draw(t, "encoding")(raw)
		text := rapid.SampledFrom([]string{"rejected %", "key=%!", `{"k":"%"}`, "the-quite-long-name-of-something-that-holds-it/and-what-is-in-it/%", "(%)", "a:%:b", "first,%,last"}).Draw(t, "text")
		clean := run.Sanitise(strings.ReplaceAll(text, "%", secret))
		for i := 0; i+12 <= len(secret); i++ {
			require.NotContains(t, clean, secret[i:i+12])
		}
	})
}

func TestSanitiseGivesOneShortLineOfText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := run.Sanitise(string(rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(t, "text")) + strings.Repeat("ä", rapid.IntRange(0, 900).Draw(t, "more")))
		require.True(t, utf8.ValidString(s))
		require.LessOrEqual(t, len(s), 1000)
		require.NotContains(t, s, "\n")
		require.NotContains(t, s, "\x00")
	})
}

// What Gatehouse itself advises must reach people whole.
func TestOurOwnAdviceIsKept(t *testing.T) {
	t.Parallel()
	for _, code := range []operation.Code{
		operation.ConnectionMissing, operation.ConnectionDisabled, operation.ConsentRequired, operation.CredentialMissing, operation.CredentialInvalid,
		operation.CredentialExpired, operation.TargetMismatch, operation.IntegrationNotLicensed, operation.OperationNotSupported, operation.ScopeInvalid,
		operation.PermissionDenied, operation.Throttled, operation.ProviderUnavailable, operation.NetworkUnreachable, operation.ContractViolation,
		operation.DeadlineExceeded, operation.WorkerLost, operation.Cancelled, operation.Internal,
	} {
		reason := operation.Explain(code)
		texts := []string{reason.Short, reason.Explanation}
		for _, step := range operation.NextSteps(code, "conn_1") {
			texts = append(texts, step.Instruction())
		}
		for _, text := range texts {
			require.Equal(t, text, run.Sanitise(text), code)
		}
	}
}
