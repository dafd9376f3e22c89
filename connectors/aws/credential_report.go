package aws

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/gatehouse-project/gatehouse/connector"
)

// rootRow is the name under which the report lists the root user.
const rootRow = "<root_account>"

const (
	// reportPatience bounds the wait for a report; AWS makes one in seconds.
	reportPatience  = 2 * time.Minute
	reportFirstWait = 250 * time.Millisecond
	reportMostWait  = 5 * time.Second
)

// credentialReport holds the account's credential report: by lower-case user
// name, the columns that have a value. AWS documents the columns under
// "Understanding the report format" in the IAM user guide.
type credentialReport map[string]map[string]string

// askReport has AWS start on an account's credential report, once per session.
// A report that is younger than four hours stays as it is.
func (s *session) askReport(ctx context.Context, account string) error {
	if s.reportsAsked[account] {
		return nil
	}
	cfg, err := s.enter(ctx, account)
	if err != nil {
		return err
	}
	if _, err = iamClient(cfg).GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{}); err != nil {
		return classify(ctx, err, inAccount(account))
	}
	if s.reportsAsked == nil {
		s.reportsAsked = map[string]bool{}
	}
	s.reportsAsked[account] = true
	return nil
}

// askReportAhead asks for the report of the account that is read after this
// one, so that it is made meanwhile and need not be waited for. A failure is
// left for that account's turn.
func (s *session) askReportAhead(ctx context.Context, account string) {
	targets, err := s.targets(ctx)
	if err != nil {
		return
	}
	if i := slices.Index(targets, account); i >= 0 && i+1 < len(targets) {
		_ = s.askReport(ctx, targets[i+1])
	}
}

// readReport gets the credential report. Without it users are emitted without
// their last use, and a gap says so.
func (r *iamReader) readReport(ctx context.Context) error {
	if err := r.session.askReport(ctx, r.account); err != nil {
		return gapOrFail(r.batch, err)
	}
	r.session.askReportAhead(ctx, r.account)
	report, err := r.session.credentialReport(ctx, r.account)
	if err != nil {
		return gapOrFail(r.batch, err)
	}
	r.report = report
	return nil
}

// credentialReport fetches the report, waiting until AWS has made it. One that
// is gone or has expired since it was asked for is asked for again.
func (s *session) credentialReport(ctx context.Context, account string) (credentialReport, error) {
	cfg, err := s.enter(ctx, account)
	if err != nil {
		return nil, err
	}
	client := iamClient(cfg)
	wait := reportFirstWait
	for waited := time.Duration(0); ; waited += wait {
		out, err := client.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
		if err == nil {
			report, err := parseReport(out.Content)
			if err != nil {
				return nil, &connector.Error{Category: connector.ProviderUnavailable, Message: "the credential report is not the table AWS documents", On: inAccount(account), Cause: err}
			}
			return report, nil
		}
		if !hasCode(err, "ReportInProgress", "ReportNotPresent", "ReportExpired") {
			return nil, classify(ctx, err, inAccount(account))
		}
		if waited >= reportPatience {
			return nil, &connector.Error{Category: connector.ProviderUnavailable, Message: "AWS did not finish the credential report", On: inAccount(account), Cause: err}
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
		if !hasCode(err, "ReportInProgress") {
			delete(s.reportsAsked, account)
			if err := s.askReport(ctx, account); err != nil {
				return nil, err
			}
		}
		wait = min(2*wait, reportMostWait)
	}
}

func parseReport(content []byte) (credentialReport, error) {
	in := csv.NewReader(bytes.NewReader(content))
	in.FieldsPerRecord = -1 // AWS adds columns at the end
	header, err := in.Read()
	if err != nil {
		return nil, err
	}
	if len(header) == 0 || header[0] != "user" {
		return nil, errors.New("the first column is not user")
	}
	report := credentialReport{}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return report, nil
		}
		if err != nil {
			return nil, err
		}
		columns := map[string]string{}
		for i := 1; i < len(row) && i < len(header); i++ {
			switch row[i] {
			case "", "N/A", "no_information", "not_supported":
			default:
				columns[header[i]] = row[i]
			}
		}
		report[strings.ToLower(row[0])] = columns
	}
}

// describe adds what the report says of a user to the user's attributes.
func (c credentialReport) describe(user string, fields map[string]any) {
	row, ok := c[user]
	if !ok {
		return
	}
	fields["mfa_active"] = row["mfa_active"] == "true"
	fields["console_access"] = row["password_enabled"] == "true"
	fields["console_last_used_at"] = row["password_last_used"]
	fields["console_password_changed_at"] = row["password_last_changed"]
	var keys []map[string]any
	for _, n := range []string{"access_key_1_", "access_key_2_"} {
		active := row[n+"active"] == "true"
		if !active && row[n+"last_rotated"] == "" {
			continue
		}
		key := map[string]any{"active": active}
		for column, name := range map[string]string{
			"last_rotated": "rotated_at", "last_used_date": "last_used_at",
			"last_used_region": "last_used_region", "last_used_service": "last_used_service",
		} {
			if v := row[n+column]; v != "" {
				key[name] = v
			}
		}
		keys = append(keys, key)
	}
	if keys != nil {
		fields["access_keys"] = keys
	}
}

// pause waits, or returns the context's error as soon as it ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
