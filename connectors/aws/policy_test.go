package aws

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
)

func TestParseDocument(t *testing.T) {
	t.Parallel()
	const plain = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":["arn:aws:s3:::a/*","arn:aws:s3:::b+c/*"]}}`
	want := []statement{{Effect: "Allow", Action: stringList{"s3:GetObject"}, Resource: stringList{"arn:aws:s3:::a/*", "arn:aws:s3:::b+c/*"}, Key: "#0"}}
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
			require.Equal(t, want, d.Statements)
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
		s      statement
		bucket bool
	}{
		{"all", statement{Action: stringList{"*"}}, true},
		{"service", statement{Action: stringList{"S3:*"}}, true},
		{"one action", statement{Action: stringList{"iam:GetUser", "s3:getobject"}}, true},
		{"wildcard across", statement{Action: stringList{"s*:Get*"}}, true},
		{"other service", statement{Action: stringList{"iam:*"}}, false},
		{"listing only", statement{Action: stringList{"s3:ListAllMyBuckets"}}, false},
		{"all but another service", statement{NotAction: stringList{"iam:*"}}, true},
		{"all but this service", statement{NotAction: stringList{"iam:*", "s3:*"}}, false},
		{"all but some of it", statement{NotAction: stringList{"s3:Delete*"}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.bucket, c.s.speaksOf(bucketKind()))
		})
	}
}
