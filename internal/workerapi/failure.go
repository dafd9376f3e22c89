package workerapi

import (
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Failure is a [connector.Error] in a batch; its cause stays with the worker.
type Failure struct {
	Category   connector.Category `json:"category"`
	Message    string             `json:"message"`
	Permission string             `json:"permission,omitempty"`
	On         string             `json:"on,omitempty"`
	// RetryAfterSeconds is zero when the provider did not say.
	RetryAfterSeconds int64 `json:"retry_after_seconds,omitempty"`
}

// NewFailure returns the failure for an error, nil for nil.
func NewFailure(e *connector.Error) *Failure {
	if e == nil {
		return nil
	}
	return &Failure{e.Category, e.Message, e.Permission, e.On, int64(e.RetryAfter / time.Second)}
}

// Error returns the error a failure stands for, nil for nil.
func (f *Failure) Error() *connector.Error {
	if f == nil {
		return nil
	}
	return &connector.Error{
		Category: f.Category, Message: f.Message, Permission: f.Permission, On: f.On, RetryAfter: time.Duration(f.RetryAfterSeconds) * time.Second,
	}
}
