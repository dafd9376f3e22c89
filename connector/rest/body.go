package rest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
)

// ErrTooLarge says that an answer is larger than it may be.
var ErrTooLarge = errors.New("the answer is too large")

// ReadBody reads an answer to its end and closes it, so that the connection serves
// the next call. One of more than so many bytes is [ErrTooLarge].
func ReadBody(response *http.Response, most int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	if closed := response.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > most {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, most)
	}
	return body, nil
}
