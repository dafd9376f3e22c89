package aws

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
	"github.com/gatehouse-project/gatehouse/simulator/enterprise/chance"
)

// call is one request of an AWS client on its way through the simulator.
type call struct {
	service   *service
	operation string
	region    string
	number    uint64
	requestID string
	at        time.Time
	caller    caller
	form      url.Values      // AWS Query
	body      json.RawMessage // AWS JSON
	request   *http.Request   // REST
	bucket    string          // S3
	// bucketRegion is where the bucket is, once it was found.
	bucketRegion string
	function     string // Lambda
}

// operation answers a call: with a body, which its protocol writes, or with
// an error.
type operation func(c *call) (body any, failure *apiError)

// operations are those of a service, by name.
type operations map[string]operation

// inventory is what the caller's account contains.
func (s *Simulator) inventory(c *call) *estate.Inventory {
	return s.Estate().Inventory(c.caller.account.Index)
}

// maxBody bounds what a client may send; real requests of the operations
// served here are far smaller.
const maxBody = 1 << 20

func (s *Simulator) serveAWS(w http.ResponseWriter, r *http.Request) {
	number := s.requests.Add(1)
	c := &call{request: r, number: number, requestID: s.Estate().Company.Draw().UUID("request id", int(number)), at: s.clock()}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "request body: "+err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	auth, signed := parseAuthorization(r.Header.Get("Authorization"))
	c.service = s.serviceOf(r, auth, data)
	c.region = auth.region
	if failure := s.route(c, data); failure != nil {
		s.fail(w, c, failure)
		return
	}
	s.calls.Add(c.service.name + ":" + c.operation)
	if !signed {
		s.fail(w, c, &c.service.missingAuth)
		return
	}
	if failure := s.authenticate(c, auth, data); failure != nil {
		s.fail(w, c, failure)
		return
	}
	effect := s.faults.on(c)
	if effect.delay > 0 && !wait(r, effect.delay) {
		return
	}
	if effect.failure != nil {
		s.fail(w, c, effect.failure)
		return
	}
	if failure := s.authorize(c); failure != nil {
		s.fail(w, c, failure)
		return
	}
	body, failure := s.handlers[c.service.name][c.operation](c)
	if failure != nil {
		s.fail(w, c, failure)
		return
	}
	s.answer(w, c, body, effect.broken)
}

// wait holds a request back, and answers false when the client gave up.
func wait(r *http.Request, delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// serviceOf tells the service by the credential scope of the signature. An
// unsigned request is told by its form.
func (s *Simulator) serviceOf(r *http.Request, auth authorization, body []byte) *service {
	if found, ok := s.services[auth.service]; ok {
		return found
	}
	target, _, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	for _, candidate := range s.services {
		if target != "" && candidate.target == target {
			return candidate
		}
	}
	switch {
	case strings.Contains(string(body), "Version=2010-05-08"):
		return s.services["iam"]
	case strings.Contains(string(body), "Action="):
		return s.services["sts"]
	case strings.HasPrefix(r.URL.Path, "/2015-03-31/"):
		return s.services["lambda"]
	default:
		return s.services["s3"]
	}
}

// route finds out which operation is meant and reads what it was given.
func (s *Simulator) route(c *call, body []byte) *apiError {
	switch {
	case c.service.name == "s3":
		c.operation, c.bucket = s3Operation(c.request)
	case c.service.name == "lambda":
		c.operation, c.function = lambdaOperation(c.request)
	case c.service.target != "":
		_, c.operation, _ = strings.Cut(c.request.Header.Get("X-Amz-Target"), ".")
		if len(body) > 0 && !json.Valid(body) {
			return &apiError{"SerializationException", 400, "The request body is not JSON"}
		}
		c.body = body
	default:
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return &apiError{"MalformedQueryString", 400, "The query string contains a syntax error"}
		}
		c.form, c.operation = form, form.Get("Action")
	}
	if _, ok := s.handlers[c.service.name][c.operation]; !ok {
		return c.service.unknownOperation.with(fmt.Sprintf("Could not find operation %q of %s", c.operation, c.service.name))
	}
	return nil
}

func (s *Simulator) fail(w http.ResponseWriter, c *call, failure *apiError) {
	c.service.writeError(w, c, failure)
}

// answer writes a body in the form of the call's protocol. A broken one is
// cut off in the middle, as by a proxy that gives up.
func (s *Simulator) answer(w http.ResponseWriter, c *call, body any, broken bool) {
	var data []byte
	switch document := body.(type) {
	case *xmlDocument:
		data = document.bytes()
		w.Header().Set("Content-Type", "text/xml")
		if c.service.name == "s3" {
			w.Header().Set("Content-Type", "application/xml")
		}
	case rawJSON:
		data = document
		w.Header().Set("Content-Type", "application/json")
	default:
		encoded, err := json.Marshal(body)
		if err != nil {
			s.fail(w, c, &c.service.unavailable)
			return
		}
		data = encoded
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if c.service.name == "lambda" {
			w.Header().Set("Content-Type", "application/json")
		}
	}
	if broken {
		data = append(data[:len(data)/2:len(data)/2], "\x00<<"...)
	}
	setRequestID(w, c)
	w.WriteHeader(http.StatusOK)
	// The client may be gone; nobody is left to tell.
	_, _ = w.Write(data)
}

// rawJSON is a body that is JSON text already.
type rawJSON []byte

func setRequestID(w http.ResponseWriter, c *call) {
	if c.service.name == "s3" {
		w.Header().Set("X-Amz-Request-Id", strings.ToUpper(strings.ReplaceAll(c.requestID, "-", ""))[:16])
		w.Header().Set("X-Amz-Id-2", extendedID(c))
		if c.bucketRegion != "" {
			w.Header().Set("X-Amz-Bucket-Region", c.bucketRegion)
		}
		return
	}
	w.Header().Set("X-Amzn-Requestid", c.requestID)
}

func extendedID(c *call) string {
	return chance.New(int64(c.number)).Letters(76, chance.Base32, "extended request id")
}
