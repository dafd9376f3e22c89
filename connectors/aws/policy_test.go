package aws

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

func TestParseDocument(t *testing.T) {
	t.Parallel()
	const plain = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":["arn:aws:s3:::a/*","arn:aws:s3:::b+c/*"]}}`
	for name, text := range map[string]string{
		"plain":           plain,
		"percent-encoded": url.PathEscape(plain),
		"list":            strings.Replace(plain, `"Statement":{`, `"Statement":[{`, 1)[:len(plain)] + `]}`,
		"other case":      strings.NewReplacer(`"Statement"`, `"statement"`, `"Action"`, `"ACTION"`).Replace(plain),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := parseDocument(text)
			require.NoError(t, err)
			require.Len(t, d.Statements, 1)
			s := d.Statements[0]
			require.Equal(t, stringList{"s3:GetObject"}, s.Action)
			require.Equal(t, stringList{"arn:aws:s3:::a/*", "arn:aws:s3:::b+c/*"}, s.Resource)
			require.Equal(t, "#0", s.Key)
		})
	}
}

func TestParseDocumentRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no JSON":             `%7Bnot json`,
		"bad encoding":        `%7B%ZZ`,
		"truncated":           `{"Statement":[`,
		"duplicate":           `{"Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"duplicate by case":   `{"Statement":[{"Effect":"Allow","Action":"*","action":"s3:*","Resource":"*"}]}`,
		"unknown effect":      `{"Statement":[{"Effect":"allow","Action":"*","Resource":"*"}]}`,
		"action is a number":  `{"Statement":[{"Effect":"Allow","Action":7,"Resource":"*"}]}`,
		"principal is a name": `{"Statement":[{"Effect":"Allow","Principal":"bob","Action":"sts:AssumeRole"}]}`,
		"nested too deeply":   `{"Statement":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
		"an array":            `["Statement"]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parseDocument(text)
			require.Error(t, err)
		})
	}
}

func TestStatementKeysTellStatementsApart(t *testing.T) {
	t.Parallel()
	d, err := parseDocument(`{"Statement":[
		{"Sid":"Read","Effect":"Allow","Action":"s3:Get*","Resource":"*"},
		{"Effect":"Allow","Action":"s3:List*","Resource":"*"},
		{"Sid":"Twice","Effect":"Allow","Action":"s3:Put*","Resource":"*"},
		{"Sid":"Twice","Effect":"Deny","Action":"s3:Put*","Resource":"*"}]}`)
	require.NoError(t, err)
	var keys []string
	for _, s := range d.Statements {
		keys = append(keys, s.Key)
	}
	require.Equal(t, []string{"Read", "#1", "#2", "#3"}, keys)
	require.Equal(t, connector.Deny, d.Statements[3].terms().Effect)
}

func TestSpeaksOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		s      policy.Statement
		bucket bool
	}{
		{"all", policy.Statement{Action: stringList{"*"}}, true},
		{"service", policy.Statement{Action: stringList{"S3:*"}}, true},
		{"one action", policy.Statement{Action: stringList{"iam:GetUser", "s3:getobject"}}, true},
		{"wildcard across", policy.Statement{Action: stringList{"s*:Get*"}}, true},
		{"other service", policy.Statement{Action: stringList{"iam:*"}}, false},
		{"listing only", policy.Statement{Action: stringList{"s3:ListAllMyBuckets"}}, false},
		{"all but another service", policy.Statement{NotAction: stringList{"iam:*"}}, true},
		{"all but this service", policy.Statement{NotAction: stringList{"iam:*", "s3:*"}}, false},
		{"all but some of it", policy.Statement{NotAction: stringList{"s3:Delete*"}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.bucket, statement{c.s}.speaksOf(bucketKind()))
		})
	}
}
