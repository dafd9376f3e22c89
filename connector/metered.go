package connector

import (
	"net/http"
	"strconv"
	"time"
)

// Metered is an HTTP transport that asks a [Budget] before each request, and tells
// it of answers that refuse one because of its rate. A redirect or a retry of the
// client above it is a request of its own.
type Metered struct {
	Next   http.RoundTripper
	Budget Budget
	// Uses says what a request takes; none when it does not count.
	Uses func(*http.Request) []Use
	// Refused says whether an answer refuses the request because of its rate, how
	// long to wait, and which uses met their limit. Nil stands for [RateRefused]
	// with all uses. It does not read the body.
	Refused func(response *http.Response, uses []Use) (met []Use, retryAfter time.Duration)
}

// RoundTrip makes the request when the budget allows it.
func (m Metered) RoundTrip(request *http.Request) (*http.Response, error) {
	uses := m.Uses(request)
	if len(uses) == 0 {
		return m.Next.RoundTrip(request)
	}
	ctx := request.Context()
	release, err := m.Budget.Take(ctx, uses...)
	if err != nil {
		if request.Body != nil {
			_ = request.Body.Close() // as a transport that fails has to
		}
		return nil, err
	}
	defer release()
	response, err := m.Next.RoundTrip(request)
	if err != nil {
		return response, err
	}
	met, wait := uses, time.Duration(0)
	if m.Refused != nil {
		met, wait = m.Refused(response, uses)
	} else if refused, asked := RateRefused(response); refused {
		wait = asked
	} else {
		met = nil
	}
	if len(met) > 0 {
		m.Budget.Throttled(ctx, wait, met...)
	}
	return response, nil
}

// RateRefused reports whether an answer is 429, or 503 with Retry-After, and how
// long it asks to wait; zero when it does not say.
func RateRefused(response *http.Response) (refused bool, retryAfter time.Duration) {
	retryAfter = RetryAfter(response.Header)
	switch response.StatusCode {
	case http.StatusTooManyRequests:
		return true, retryAfter
	case http.StatusServiceUnavailable:
		return retryAfter > 0, retryAfter
	}
	return false, 0
}

// RetryAfter reads the header of that name: seconds, or a date, which is compared
// with the answer's own so that no clock but the provider's matters (RFC 9110,
// 10.2.3). It returns zero when there is none that can be read.
func RetryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(0, until.Sub(now))
}
