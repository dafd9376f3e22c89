package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// platform makes single calls to the platform; it never repeats one.
type platform struct {
	http                    *http.Client
	discovery, integrations string
	metrics                 *metrics
}

// maxAnswerBytes bounds an answer of the platform: an assignment carries a
// cursor of up to 64 KiB for each partition.
const maxAnswerBytes = 256 << 20

// claimMargin is how much longer than the long poll a claim may take.
const claimMargin = 15 * time.Second

// claim asks for a run; nil without an error means that there was none.
func (p *platform) claim(ctx context.Context, token secret.Secret, request workerapi.ClaimRequest) (*workerapi.Assignment, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(request.WaitSeconds)*time.Second+claimMargin)
	defer cancel()
	var a workerapi.Assignment
	status, err := p.post(ctx, p.discovery+workerapi.ClaimPath, token, request, &a)
	if err != nil || status == http.StatusNoContent {
		return nil, err
	}
	return &a, nil
}

// abandon gives up the claim that was to have a lease of this id.
func (p *platform) abandon(ctx context.Context, token secret.Secret, lease string) error {
	_, err := p.post(ctx, p.discovery+workerapi.AbandonPath, token, workerapi.Abandon{LeaseID: lease}, nil)
	return err
}

// post sends a message as JSON and reads the answer, if there is any, into
// answer.
func (p *platform) post(ctx context.Context, url string, token secret.Secret, message, answer any) (status int, err error) {
	body, err := json.Marshal(message)
	if err != nil {
		return 0, fmt.Errorf("encode a message to the platform: %w", err)
	}
	return p.send(ctx, http.MethodPost, url, token, http.Header{"Content-Type": {"application/json"}}, body, answer)
}

func (p *platform) send(ctx context.Context, method, url string, token secret.Secret, header http.Header, body []byte, answer any) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("make a request to the platform: %w", err)
	}
	request.Header = header
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Authorization", "Bearer "+token.RevealString())
	response, err := p.http.Do(request)
	if err != nil {
		return 0, &callError{cause: err}
	}
	defer response.Body.Close()
	limited := io.LimitReader(response.Body, maxAnswerBytes)
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return response.StatusCode, refusal(response, limited)
	}
	if answer != nil && response.StatusCode != http.StatusNoContent {
		if err := json.NewDecoder(limited).Decode(answer); err != nil {
			return response.StatusCode, &callError{cause: fmt.Errorf("read the platform's answer: %w", err)}
		}
	}
	// What is left is read so that the connection can be used again.
	if _, err := io.Copy(io.Discard, limited); err != nil {
		return response.StatusCode, &callError{cause: fmt.Errorf("read the platform's answer: %w", err)}
	}
	return response.StatusCode, nil
}

// callError is a call that had no good answer. Whether it took effect is known
// only for a status below 500.
type callError struct {
	// status is zero when no answer came.
	status int
	detail string
	// retryAfter is how long the platform asked to wait.
	retryAfter time.Duration
	cause      error
}

func (e *callError) Error() string {
	if e.status == 0 {
		return fmt.Sprintf("the platform did not answer: %v", e.cause)
	}
	if e.detail == "" {
		return fmt.Sprintf("the platform answered %d", e.status)
	}
	return fmt.Sprintf("the platform answered %d: %s", e.status, e.detail)
}

func (e *callError) Unwrap() error { return e.cause }

// temporary reports whether the same call may be answered later.
func (e *callError) temporary() bool {
	switch e.status {
	case 0, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return e.status >= 500
}

// notOurs reports whether the run is no longer this worker's. A token that is
// not known any more is that as well.
func (e *callError) notOurs() bool {
	switch e.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusGone:
		return true
	}
	return false
}

// maxProblemBytes bounds what is read of a problem document.
const maxProblemBytes = 64 << 10

func refusal(response *http.Response, body io.Reader) *callError {
	e := &callError{status: response.StatusCode}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.retryAfter = min(time.Duration(seconds)*time.Second, callBackoff().most)
	}
	var problem struct {
		Detail string `json:"detail"`
	}
	// An answer that is no problem document, such as a proxy's page, is
	// known by its status alone.
	if raw, err := io.ReadAll(io.LimitReader(body, maxProblemBytes)); err == nil && json.Unmarshal(raw, &problem) == nil {
		e.detail = problem.Detail
	}
	return e
}

// troubleOf groups errors that a log need not tell apart.
func troubleOf(err error) string {
	var call *callError
	if errors.As(err, &call) {
		return strconv.Itoa(call.status)
	}
	return err.Error()
}
