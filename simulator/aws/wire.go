package aws

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strconv"
	"time"
)

// xmlDocument is an answer in XML, written element by element.
type xmlDocument struct{ b bytes.Buffer }

func (x *xmlDocument) bytes() []byte { return x.b.Bytes() }

// text writes an element with text.
func (x *xmlDocument) text(name, value string) {
	x.b.WriteString("<" + name + ">")
	// Writing to a buffer cannot fail.
	_ = xml.EscapeText(&x.b, []byte(value))
	x.b.WriteString("</" + name + ">")
}

// optional writes an element with text unless that is empty.
func (x *xmlDocument) optional(name, value string) {
	if value != "" {
		x.text(name, value)
	}
}

func (x *xmlDocument) boolean(name string, value bool) { x.text(name, strconv.FormatBool(value)) }

func (x *xmlDocument) number(name string, value int) { x.text(name, strconv.Itoa(value)) }

func (x *xmlDocument) time(name string, value time.Time) {
	x.text(name, value.UTC().Format("2006-01-02T15:04:05Z"))
}

func (x *xmlDocument) optionalTime(name string, value *time.Time) {
	if value != nil {
		x.time(name, *value)
	}
}

// element writes an element whose content another function writes.
func (x *xmlDocument) element(name string, content func()) {
	x.b.WriteString("<" + name + ">")
	content()
	x.b.WriteString("</" + name + ">")
}

// members writes a list in the manner of AWS Query.
func members[T any](x *xmlDocument, name string, items []T, write func(T)) {
	x.element(name, func() {
		for _, item := range items {
			x.element("member", func() { write(item) })
		}
	})
}

// queryNamespace is that of the service's answers.
func queryNamespace(service string) string {
	if service == "sts" {
		return "https://sts.amazonaws.com/doc/2011-06-15/"
	}
	return "https://iam.amazonaws.com/doc/2010-05-08/"
}

// queryAnswer wraps a result as AWS Query does (smithy.io, "AWS query
// protocol").
func queryAnswer(c *call, result func(x *xmlDocument)) *xmlDocument {
	x := &xmlDocument{}
	x.b.WriteString("<" + c.operation + `Response xmlns="` + queryNamespace(c.service.name) + `">`)
	x.element(c.operation+"Result", func() { result(x) })
	x.element("ResponseMetadata", func() { x.text("RequestId", c.requestID) })
	x.b.WriteString("</" + c.operation + "Response>")
	return x
}

func writeQueryError(w http.ResponseWriter, c *call, e *apiError) {
	x := &xmlDocument{}
	x.b.WriteString(`<ErrorResponse xmlns="` + queryNamespace(c.service.name) + `">`)
	x.element("Error", func() {
		x.text("Type", faultSide(e))
		x.text("Code", e.code)
		x.text("Message", e.message)
	})
	x.text("RequestId", c.requestID)
	x.b.WriteString("</ErrorResponse>")
	writeBody(w, c, "text/xml", e.status, x.bytes())
}

func faultSide(e *apiError) string {
	if e.status >= 500 {
		return "Receiver"
	}
	return "Sender"
}

func writeJSONError(w http.ResponseWriter, c *call, e *apiError) {
	body := map[string]string{"__type": e.code, "Message": e.message}
	writeErrorJSON(w, c, e, "application/x-amz-json-1.1", body)
}

func writeRESTJSONError(w http.ResponseWriter, c *call, e *apiError) {
	w.Header().Set("X-Amzn-Errortype", e.code)
	side := "User"
	if e.status >= 500 {
		side = "Service"
	}
	writeErrorJSON(w, c, e, "application/json", map[string]string{"Type": side, "Message": e.message})
}

func writeErrorJSON(w http.ResponseWriter, c *call, e *apiError, contentType string, body map[string]string) {
	data, err := json.Marshal(body)
	if err != nil {
		// A map of strings always encodes.
		data = []byte("{}")
	}
	writeBody(w, c, contentType, e.status, data)
}

func writeS3Error(w http.ResponseWriter, c *call, e *apiError) {
	x := &xmlDocument{}
	x.b.WriteString(xml.Header)
	x.element("Error", func() {
		x.text("Code", e.code)
		x.text("Message", e.message)
		x.optional("BucketName", c.bucket)
		x.text("RequestId", c.requestID)
		x.text("HostId", extendedID(c))
	})
	writeBody(w, c, "application/xml", e.status, x.bytes())
}

func writeBody(w http.ResponseWriter, c *call, contentType string, status int, data []byte) {
	setRequestID(w, c)
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	// The client may be gone; nobody is left to tell.
	_, _ = w.Write(data)
}
